using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What attempts report: responses, resets and time-outs.</summary>
internal sealed partial class RouterFilter
{
    /// <summary>The pool named the endpoint of an attempt.</summary>
    public void OnHostSelected(UpstreamRequest request, Host? host, bool ready)
    {
        Info.Upstream = request.Info;
        if (host is not null)
        {
            _retry?.OnHostAttempted(host);
        }
        if (ready)
        {
            _virtualCluster?.Stats.Total();
            _route.Stats?.Total();
        }
    }

    /// <summary>The last changes before the headers go to a known endpoint.</summary>
    public void PrepareHeadersFor(Host host, HeaderMap headers)
    {
        if (_action.AutoHostRewrite && host.Hostname.Length > 0)
        {
            RequestPreparation.UpdateAuthority(headers, host.Hostname, _action.AppendForwardedHost, InsertsEnvoyHeaders);
        }
        if (Info.MatchUpstreamScheme)
        {
            headers.Set(KnownHeader.Scheme, host.TransportSocketFactory.ImplementsSecureTransport ? "https"u8 : "http"u8);
        }
    }

    public void OnInvalidRequest(UpstreamRequest request, string error)
    {
        _requests.RemoveReference(request);
        request.Reset();
        Info.SetFlag(ResponseFlags.DownstreamProtocolError);
        Callbacks.SendLocalReply(503, Encoding.Latin1.GetBytes(error), ModifyHeaders, null,
            $"missing_required_header{{{error.Replace(' ', '_')}}}");
    }

    public void OnUpstream1xx(UpstreamRequest request, HeaderMap headers)
    {
        // An informational answer proves that the request is being worked on.
        _retry?.Stop();
        _retry = null;
        var status = HeaderUtility.Status(headers);
        if (_responseStarted || status is not (100 or 102 or 103))
        {
            return;
        }
        _responseStarted = true;
        Charge(status, request.Host, request);
        Callbacks.Encode1xxHeaders(headers);
    }

    public void OnUpstreamHeaders(int status, HeaderMap headers, UpstreamRequest request, bool endStream)
    {
        ModifyHeaders(headers);
        var grpcStatus = _isGrpc ? GrpcCommon.Status(headers) : null;
        var code = grpcStatus is { } known ? GrpcStatus.ToHttp(known) : status;
        request.Host!.Outlier.PutHttpResponseCode(Cluster.HttpOptions.Errors?.CodeOf(headers) ?? code);
        if (headers.Contains(KnownHeader.EnvoyImmediateHealthCheckFail))
        {
            request.Host.SetUnhealthyByTraffic();
        }
        var couldNotRetry = false;
        if (_retry is not null && RetryByHeaders(status, headers, request, endStream, out couldNotRetry))
        {
            return;
        }
        if (_action.InternalRedirect is { } policy && policy.Handles(status) && FollowRedirect(headers))
        {
            return;
        }
        if (couldNotRetry && (AwaitingHeaders() > 0 || _pendingRetries > 0))
        {
            // Another attempt may still do better.
            Interlocked.Increment(ref request.Host.Stats.RqError);
            _requests.RemoveReference(request);
            Discard(request, endStream);
            return;
        }
        if (_retry is not null)
        {
            if (_isRetry && !couldNotRetry)
            {
                _retry.RecordSuccess();
            }
            _retry.Stop();
            _retry = null;
        }
        Forward(status, headers, request, endStream, grpcStatus, code);
    }

    public void OnUpstreamData(ByteBuffer data, UpstreamRequest request, bool endStream)
    {
        if (endStream)
        {
            if (request.GrpcSuccessDeferred)
            {
                // A gRPC answer must end with trailers.
                Interlocked.Increment(ref request.Host!.Stats.RqError);
            }
            OnUpstreamComplete(request);
        }
        Callbacks.EncodeData(data, endStream);
    }

    public void OnUpstreamTrailers(HeaderMap trailers, UpstreamRequest request)
    {
        if (request.GrpcSuccessDeferred)
        {
            var failed = GrpcCommon.Status(trailers) is not { } status || GrpcStatus.ToHttp(status) >= 500;
            CountOutcome(request.Host!, !failed);
        }
        OnUpstreamComplete(request);
        Callbacks.EncodeTrailers(trailers);
    }

    public void OnUpstreamReset(StreamResetReason reason, string transportFailure, UpstreamRequest request)
    {
        // A circuit breaker's refusal says nothing about the endpoint.
        var dropped = reason == StreamResetReason.Overflow;
        if (!dropped)
        {
            request.Host?.Outlier.PutResult(OutlierResult.LocalOriginConnectFailed);
        }
        if (ResendOnStaleConnection(reason, request) || RetryByReset(reason, request, isTimeout: false))
        {
            return;
        }
        var code = reason == StreamResetReason.ProtocolError ? 502 : 503;
        ChargeAbort(code, dropped, request);
        _requests.RemoveReference(request);
        request.Finish();
        if (AwaitingHeaders() > 0 || _pendingRetries > 0)
        {
            return;
        }
        var text = ResetReasons.Text(reason);
        var body = $"upstream connect error or disconnect/reset before headers. {(_isRetry ? "retried and the latest " : "")}reset reason: {text}";
        var basic = _responseStarted ? ResponseCodeDetails.UpstreamLateReset : ResponseCodeDetails.UpstreamEarlyReset;
        var details = $"{basic}{{{text}{(transportFailure.Length == 0 ? "" : $"|{transportFailure}")}}}".Replace(' ', '_');
        Abort(code, ResetReasons.Flag(reason), body, dropped, details);
    }

    public void OnPerTryTimeout(UpstreamRequest request, bool idle)
    {
        if (_hedging && !idle)
        {
            HedgeAfterTimeout(request);
            return;
        }
        Cluster.Traffic.Inc(idle ? ClusterStat.UpstreamRqPerTryIdleTimeout : ClusterStat.UpstreamRqPerTryTimeout);
        if (request.Host is { } host)
        {
            Interlocked.Increment(ref host.Stats.RqTimeout);
        }
        request.Reset();
        request.Host?.Outlier.PutResult(OutlierResult.LocalOriginTimeout);
        if (RetryByReset(StreamResetReason.LocalReset, request, isTimeout: true))
        {
            return;
        }
        ChargeAbort(_timeoutCode, false, request);
        _requests.RemoveReference(request);
        AbortByTimeout(ResponseFlags.UpstreamRequestTimeout,
            idle ? ResponseCodeDetails.UpstreamPerTryIdleTimeout : ResponseCodeDetails.UpstreamPerTryTimeout);
    }

    public void OnMaxStreamDuration(UpstreamRequest request)
    {
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqMaxDurationReached);
        request.Reset();
        if (RetryByReset(StreamResetReason.LocalReset, request, isTimeout: false))
        {
            return;
        }
        _requests.RemoveReference(request);
        Info.SetFlag(ResponseFlags.UpstreamMaxStreamDurationReached);
        Cleanup();
        Callbacks.SendLocalReply(DownstreamComplete ? 504 : 408, "upstream max stream duration reached"u8, ModifyHeaders, null,
            ResponseCodeDetails.UpstreamMaxStreamDuration);
    }

    /// <summary>Ends an attempt's own span; null has none.</summary>
    public void FinishSpan(ISpan? span, UpstreamRequest request, HeaderMap requestHeaders)
    {
        if (span is not null)
        {
            SpanFinalizer.FinishUpstream(span, new LogContext(requestHeaders, request.ResponseHeaders, null, AttemptInfo(request)));
        }
    }

    public void LogUpstream(
        UpstreamRequest request, AccessLogType type, HeaderMap? requestHeaders, HeaderMap? responseHeaders, HeaderMap? trailers)
    {
        if (config.UpstreamLogs.Length == 0 || (type == AccessLogType.UpstreamPoolReady && !config.FlushUpstreamLogOnStream))
        {
            return;
        }
        var context = new LogContext(requestHeaders, responseHeaders, trailers, AttemptInfo(request), type);
        foreach (var log in config.UpstreamLogs)
        {
            log.Log(context);
        }
    }

    // The facts of one attempt: its own outcome and times, the request's identity.
    private StreamInfo AttemptInfo(UpstreamRequest request) =>
        new()
        {
            StartTime = Info.StartTime.AddTicks((request.StartNanoseconds - Info.StartNanoseconds) / TimeSpan.NanosecondsPerTick),
            StartNanoseconds = request.StartNanoseconds,
            Downstream = Info.Downstream,
            ConnectionStreamInfo = Info.ConnectionStreamInfo,
            DownstreamTls = Info.DownstreamTls,
            Protocol = request.Info.Protocol,
            ResponseCode = request.Status,
            ResponseFlags = request.Flags,
            BytesReceived = Info.BytesReceived,
            BytesSent = Info.BytesSent,
            LastDownstreamRxByteReceived = Info.LastDownstreamRxByteReceived,
            Upstream = request.Info,
            UpstreamCluster = Info.UpstreamCluster,
            AttemptCount = Info.AttemptCount,
            RouteName = Info.RouteName,
            VirtualHostName = Info.VirtualHostName,
            VirtualClusterName = Info.VirtualClusterName,
            Route = Info.Route,
            FilterChainName = Info.FilterChainName,
            FilterChainMetadata = Info.FilterChainMetadata,
            Listener = Info.Listener,
            StreamId = Info.StreamId,
            TraceId = Info.TraceId,
            SpanId = Info.SpanId,
            FilterState = Info.FilterState,
            DynamicMetadata = Info.DynamicMetadata,
        };

    // True when the response was swallowed for a retry.
    private bool RetryByHeaders(int status, HeaderMap headers, UpstreamRequest request, bool endStream, out bool couldNotRetry)
    {
        couldNotRetry = false;
        if (request.Retried)
        {
            // A retry runs beside it already: its answer only counts when it is good.
            couldNotRetry = _retry!.WouldRetry(headers);
            return false;
        }
        switch (_retry!.ShouldRetryHeaders(headers))
        {
            case RetryStatus.Yes:
                _pendingRetries++;
                Interlocked.Increment(ref request.Host!.Stats.RqError);
                UpstreamCodeStats.Of(Cluster).ChargeRetried(status);
                _requests.RemoveReference(request);
                Discard(request, endStream);
                return true;
            case RetryStatus.NoOverflow:
                Info.SetFlag(ResponseFlags.UpstreamOverflow);
                couldNotRetry = true;
                return false;
            case RetryStatus.NoRetryLimitExceeded:
                Info.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
                couldNotRetry = true;
                return false;
            default:
                return false;
        }
    }

    private bool RetryByReset(StreamResetReason reason, UpstreamRequest request, bool isTimeout)
    {
        if (_responseStarted || _retry is null || request.Retried)
        {
            return false;
        }
        _requestStarted |= request.Info.FirstTxByteSent > 0;
        switch (_retry.ShouldRetryReset(reason, _requestStarted, isTimeout))
        {
            case RetryStatus.Yes:
                _pendingRetries++;
                if (request.Host is { } host)
                {
                    Interlocked.Increment(ref host.Stats.RqError);
                }
                _requests.RemoveReference(request);
                request.Finish();
                return true;
            case RetryStatus.NoOverflow:
                Info.SetFlag(ResponseFlags.UpstreamOverflow);
                return false;
            case RetryStatus.NoRetryLimitExceeded:
                Info.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
                return false;
            default:
                return false;
        }
    }

    private void HedgeAfterTimeout(UpstreamRequest request)
    {
        request.Host?.Outlier.PutResult(OutlierResult.LocalOriginTimeout);
        request.TimeoutRecorded = true;
        if (_responseStarted || _retry is null)
        {
            return;
        }
        switch (_retry.ShouldHedge())
        {
            case RetryStatus.Yes:
                _pendingRetries++;
                request.Retried = true;
                break;
            case RetryStatus.NoOverflow:
                Info.SetFlag(ResponseFlags.UpstreamOverflow);
                break;
            case RetryStatus.NoRetryLimitExceeded:
                Info.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
                break;
        }
    }

    // A backend may close an idle connection while a request is on its way to it. Its kernel then acknowledged nothing of the
    // request: one that may be repeated (RFC 9110 9.2.2) and is wholly at hand goes out once more on a fresh connection.
    private bool ResendOnStaleConnection(StreamResetReason reason, UpstreamRequest request)
    {
        if (_resentStale || reason != StreamResetReason.ConnectionTermination || _responseStarted || request.SawResponse
            || request.Info.NumStreams < 2 || !request.Info.RequestUndelivered || _trailers is not null || !DownstreamComplete || !_headersOnly || !IsIdempotent())
        {
            return false;
        }
        _resentStale = true;
        Cluster.Stats.Counter("upstream_rq_resent_after_stale_connection").Inc();
        _requests.RemoveReference(request);
        request.Finish();
        Resend();
        return true;
    }

    private bool IsIdempotent()
    {
        var method = _headers.Get(KnownHeader.Method);
        return method.SequenceEqual("GET"u8) || method.SequenceEqual("HEAD"u8) || method.SequenceEqual("OPTIONS"u8)
            || method.SequenceEqual("PUT"u8) || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("TRACE"u8);
    }

    private void Forward(int status, HeaderMap headers, UpstreamRequest request, bool endStream, int? grpcStatus, int code)
    {
        if (_requestCompleteAt > 0 && InsertsEnvoyHeaders)
        {
            headers.Set(KnownHeader.EnvoyUpstreamServiceTime, (EventLoop.NowNanoseconds - _requestCompleteAt) / 1_000_000);
        }
        request.IsCanary = headers.Get(KnownHeader.EnvoyUpstreamCanary).SequenceEqual("true"u8) || request.Host!.Canary;
        Charge(status, request.Host, request);
        if (status is < 500 or >= 600)
        {
            if (!_isGrpc)
            {
                Interlocked.Increment(ref request.Host!.Stats.RqSuccess);
            }
            else if (endStream)
            {
                CountOutcome(request.Host!, grpcStatus is not null && code < 500);
            }
            else
            {
                request.GrpcSuccessDeferred = true;
            }
        }
        if (_setCookies is not null)
        {
            foreach (var cookie in _setCookies)
            {
                headers.Add(KnownHeader.SetCookie, Encoding.Latin1.GetBytes(cookie));
            }
        }
        Info.ResponseCodeDetails = ResponseCodeDetails.ViaUpstream;
        Info.ResponseCode = status;
        Info.Upstream = request.Info;
        _route.FinalizeResponseHeaders(headers, new LogContext(_headers, headers, null, Info));
        _responseStarted = true;
        ResetOthers(request);
        if (status is not 101 and < 400 && request is { IsWebSocketHandshake: true, SpeaksHttp1: true })
        {
            // No tunnel is granted, and only the headers of such an answer are part of the handshake (RFC 6455 4.2.2).
            headers.Remove(KnownHeader.ContentLength);
            request.Reset();
            OnUpstreamComplete(request);
            Callbacks.EncodeHeaders(headers, true, ResponseCodeDetails.WebSocketHandshakeFailed);
            return;
        }
        if (endStream)
        {
            OnUpstreamComplete(request);
        }
        Callbacks.EncodeHeaders(headers, endStream, ResponseCodeDetails.ViaUpstream);
    }

    private void ResetOthers(UpstreamRequest chosen)
    {
        for (var i = _requests.Count - 1; i >= 0; i--)
        {
            var other = _requests[i];
            if (!ReferenceEquals(other, chosen))
            {
                _requests.RemoveAt(i);
                other.Reset();
            }
        }
    }

    private void OnUpstreamComplete(UpstreamRequest request)
    {
        if (!DownstreamComplete)
        {
            // The answer came before the request's end: the backend wants no more of it.
            request.Reset();
        }
        if (config.DynamicStats && !Info.IsHealthCheck && _requestCompleteAt > 0)
        {
            var milliseconds = (EventLoop.NowNanoseconds - _requestCompleteAt) / 1_000_000;
            request.Host!.Outlier.PutResponseTime(TimeSpan.FromMilliseconds(milliseconds));
            UpstreamCodeStats.Of(Cluster).RecordTime(milliseconds, AudienceOf(request.Host, request));
        }
        RecordBudget();
        _requests.RemoveReference(request);
        request.Finish();
        Cleanup();
    }

    private void RecordBudget()
    {
        if (_requestCompleteAt > 0)
        {
            Cluster.Tracked.RecordRequestTime(EventLoop.NowNanoseconds - _requestCompleteAt, Timeouts.Global);
        }
    }

    private void OnResponseTimeout()
    {
        while (_requests.Count > 0)
        {
            var request = _requests[0];
            _requests.RemoveAt(0);
            Cluster.Traffic.Inc(ClusterStat.UpstreamRqTimeout);
            _virtualCluster?.Stats.Timeout();
            _route.Stats?.Timeout();
            if (request.Host is { } host)
            {
                Interlocked.Increment(ref host.Stats.RqTimeout);
            }
            if (request.AwaitingHeaders)
            {
                if (!request.TimeoutRecorded)
                {
                    request.Host?.Outlier.PutResult(OutlierResult.LocalOriginTimeout);
                }
                ChargeAbort(_timeoutCode, false, request);
            }
            request.Reset();
        }
        AbortByTimeout(ResponseFlags.UpstreamRequestTimeout, ResponseCodeDetails.ResponseTimeout);
    }

    private void AbortByTimeout(ResponseFlags flag, string details)
    {
        RecordBudget();
        Abort(_timeoutCode, flag, _timeoutCode == 504 ? "upstream request timeout" : "", false, details);
    }

    private void Abort(int code, ResponseFlags flag, string body, bool dropped, string details)
    {
        Info.SetFlag(flag);
        Cleanup();
        Callbacks.SendLocalReply(code, Encoding.Latin1.GetBytes(body), dropped ? AddOverloaded : ModifyHeaders, null, details);
    }

    private void Discard(UpstreamRequest request, bool endStream)
    {
        if (endStream && request.EncodeComplete)
        {
            request.Finish();
        }
        else
        {
            request.Reset();
        }
    }

    private int AwaitingHeaders()
    {
        var count = 0;
        foreach (var request in _requests)
        {
            count += request.AwaitingHeaders ? 1 : 0;
        }
        return count;
    }

    private void ChargeAbort(int code, bool dropped, UpstreamRequest request)
    {
        if (_responseStarted)
        {
            if (request.GrpcSuccessDeferred)
            {
                Interlocked.Increment(ref request.Host!.Stats.RqError);
                Count(RouterStat.RqResetAfterDownstreamResponseStarted);
            }
            return;
        }
        Charge(code, request.Host, request);
        if (request.Host is { } host && code is < 500 or >= 600)
        {
            Interlocked.Increment(ref host.Stats.RqError);
        }
    }

    private void Charge(int code, Host? host, UpstreamRequest? request)
    {
        if (!config.DynamicStats || Info.IsHealthCheck || (_isGrpc && config.SuppressGrpcFailureCodes && code >= 400))
        {
            return;
        }
        UpstreamCodeStats.Of(Cluster).Charge(code, AudienceOf(host, request));
        if (host is not null && code is >= 500 and < 600)
        {
            Interlocked.Increment(ref host.Stats.RqError);
        }
    }

    private UpstreamCodeStats.Audience AudienceOf(Host? host, UpstreamRequest? request) => new(
        request?.IsCanary ?? false,
        _headers.Get(KnownHeader.EnvoyInternalRequest).SequenceEqual("true"u8),
        config.Zone, host?.Locality.Zone ?? "", _altStatPrefix, _virtualCluster, _route.Stats);

    private static void CountOutcome(Host host, bool success)
    {
        if (success)
        {
            Interlocked.Increment(ref host.Stats.RqSuccess);
        }
        else
        {
            Interlocked.Increment(ref host.Stats.RqError);
        }
    }
}
