using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The request as the codec delivers it (http-semantics 1).</summary>
internal sealed partial class ActiveStream
{
    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        RequestHeaders = headers;
        _headersTimer?.Disarm();
        Filters.DecodeComplete = endStream;
        if (endStream)
        {
            StreamInfo.LastDownstreamRxByteReceived = EventLoop.NowNanoseconds;
        }
        StreamInfo.Protocol = _manager.Protocol;
        SawConnectionClose |= WantsClose(headers);
        Filters.IsHeadRequest = headers.Get(KnownHeader.Method).SequenceEqual("HEAD"u8);
        Filters.IsGrpcRequest = GrpcCommon.IsGrpcRequest(headers);
        _routes = _config.Routes.Table(headers, StreamInfo);
        if (!Accept(headers))
        {
            return;
        }
        RefreshRoute();
        Trace(headers);
        var upgradeRefused = !CreateChain();
        if (_config.FlushAccessLogOnNewRequest)
        {
            Log(AccessLogType.DownstreamStart);
        }
        if (upgradeRefused && _route is not null)
        {
            // What follows may be payload of the refused protocol: it must never be read as a request.
            SawConnectionClose = true;
            _stats.Inc(HttpManagerStat.DownstreamRqWsOnNonWsRoute);
            Filters.SendLocalReply(403, default, null, null, ResponseCodeDetails.UpgradeFailed);
            return;
        }
        StartSpan(headers);
        Filters.DecodeHeaders(null, headers, endStream);
        ResetIdleTimer();
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        Filters.DecodeComplete = endStream;
        StreamInfo.BytesReceived += data.Length;
        if (endStream)
        {
            StreamInfo.LastDownstreamRxByteReceived = EventLoop.NowNanoseconds;
        }
        Filters.DecodeData(null, data, endStream, startFromCurrent: true);
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        RequestTrailers = trailers;
        Filters.DecodeComplete = true;
        StreamInfo.LastDownstreamRxByteReceived = EventLoop.NowNanoseconds;
        Filters.DecodeTrailers(null, trailers);
    }

    public void SendLocalReply(int code, string body, string details, bool isGrpc = false)
    {
        Filters.IsGrpcRequest |= isGrpc;
        StreamInfo.SetFlag(ResponseFlags.DownstreamProtocolError);
        Filters.SendLocalReply(code, Encoding.UTF8.GetBytes(body), null, null, details);
    }

    /// <summary>Checks and normalises in Envoy's order; false when the request was answered.</summary>
    private bool Accept(HeaderMap headers)
    {
        if (_config.StopAcceptingRequests.Takes())
        {
            // Under memory pressure not even the filters are made.
            _chainCreated = true;
            _stats.Inc(HttpManagerStat.DownstreamRqOverloadClose);
            Filters.SendLocalReply(503, "envoy overloaded"u8, AddLocalOverload, null, ResponseCodeDetails.Overload);
            return false;
        }
        AnswerExpectation(headers);
        if (!headers.Contains(KnownHeader.Authority))
        {
            return Refuse(400, ResponseCodeDetails.MissingHost);
        }
        if (headers.Get(KnownHeader.Method).SequenceEqual("QUERY"u8) && !headers.Contains(KnownHeader.ContentType))
        {
            return Refuse(400, ResponseCodeDetails.QueryMissingContentType);
        }
        var isConnect = headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8);
        var path = headers.Get(KnownHeader.Path);
        if (path.IsEmpty && !isConnect)
        {
            return Refuse(404, ResponseCodeDetails.MissingPath);
        }
        if (!path.IsEmpty && path[0] != '/')
        {
            _stats.Inc(HttpManagerStat.DownstreamRqNonRelativePath);
            return Refuse(404, ResponseCodeDetails.AbsolutePath);
        }
        if (!path.IsEmpty && !NormalizePath(headers))
        {
            return false;
        }
        NormalizeHost(headers, isConnect);
        return IsRecreated || Sanitize(headers);
    }

    private bool Refuse(int code, string details)
    {
        Filters.SendLocalReply(code, default, null, null, details);
        return false;
    }

    private void AddLocalOverload(HeaderMap headers)
    {
        if (_config.AppendLocalOverload)
        {
            headers.Set(KnownHeader.EnvoyLocalOverloaded, "true"u8);
        }
    }

    private void AnswerExpectation(HeaderMap headers)
    {
        if (_config.Proxy100Continue || !headers.TryGet(KnownHeader.Expect, out var expect)
            || !Ascii.EqualsIgnoreCase(expect, "100-continue"u8) || headers.IndexOf(KnownHeader.Expect, headers.IndexOf(KnownHeader.Expect, 0) + 1) >= 0)
        {
            return;
        }
        var answer = HeaderMap.Rent();
        answer.Set(KnownHeader.Status, 100);
        Charge(100);
        Encoder!.Encode1xxHeaders(answer);
        answer.Return();
        headers.Remove(KnownHeader.Expect);
    }

    private bool NormalizePath(HeaderMap headers)
    {
        var verdict = RequestTarget.NormalizePath(_config, headers);
        // gRPC clients do not follow redirects.
        if (verdict == PathVerdict.Reject || (verdict == PathVerdict.Redirect && Filters.IsGrpcRequest))
        {
            _stats.Inc(HttpManagerStat.DownstreamRqFailedPathNormalization);
            return Refuse(400, ResponseCodeDetails.PathNormalizationFailed);
        }
        if (verdict == PathVerdict.Redirect)
        {
            _stats.Inc(HttpManagerStat.DownstreamRqRedirectedWithNormalizedPath);
            var location = headers.GetString(KnownHeader.Path)!;
            Filters.SendLocalReply(307, default, reply => reply.Set(KnownHeader.Location, location), null,
                ResponseCodeDetails.PathNormalizationFailed);
            return false;
        }
        return true;
    }

    private void NormalizeHost(HeaderMap headers, bool isConnect)
    {
        if (RequestTarget.NormalizeHost(_config, headers, Connection.Info.LocalAddress) is { } port && isConnect)
        {
            StreamInfo.FilterState.Set(OriginalConnectPort.Key, new OriginalConnectPort(port), FilterStateLifeSpan.Request);
        }
    }

    private bool Sanitize(HeaderMap headers)
    {
        foreach (var mutation in _config.EarlyMutations)
        {
            mutation.Mutate(headers, StreamInfo);
        }
        var outcome = _config.Sanitizer.Sanitize(headers, Connection, _routes);
        if (outcome.RejectStatus != 0)
        {
            _stats.Inc(HttpManagerStat.DownstreamRqRejectedViaIpDetection);
            return Refuse(outcome.RejectStatus, ResponseCodeDetails.IpDetectionRejected);
        }
        if (!ReferenceEquals(outcome.Remote, Connection.Info.RemoteAddress))
        {
            StreamInfo.Downstream = Connection.Info.WithRemoteAddress(outcome.Remote);
        }
        return true;
    }

    // Close: asked for in HTTP/1.1, or HTTP/1.0 without keep-alive; proxy-connection is read as old clients mean it.
    private bool WantsClose(HeaderMap headers)
    {
        if (_manager.IsHttp2)
        {
            return false;
        }
        var connection = headers.Get(KnownHeader.Connection);
        return _manager.Protocol == HttpProtocol.Http10
            ? !HeaderTokens.Contains(connection, "keep-alive"u8)
            : HeaderTokens.Contains(connection, "close"u8)
                || HeaderTokens.Contains(headers.Get(KnownHeader.ProxyConnection), "close"u8);
    }

    private void Trace(HeaderMap headers)
    {
        if (_config.Tracing is { } tracing && !IsRecreated)
        {
            _traceReason = tracing.Decide(headers, _route?.Tracing);
            StreamInfo.TraceSampled = _traceReason != TraceReason.NotTraceable;
        }
    }

    private void StartSpan(HeaderMap headers)
    {
        if (_config.Tracing is not { } tracing)
        {
            return;
        }
        _reachedTracing = true;
        if (tracing.Tracer is { } tracer)
        {
            ActiveSpan = tracer.StartSpan(tracing.Settings, headers, StreamInfo, StreamInfo.TraceSampled);
            StreamInfo.TraceId = ActiveSpan.TraceId;
            StreamInfo.SpanId = ActiveSpan.SpanId;
        }
        Decorate(headers, tracing);
    }

    // Egress: the route's name for the operation goes along for the next proxy; ingress: the client's name wins over the route's.
    private void Decorate(HeaderMap headers, TracingConfig tracing)
    {
        var decorator = _route?.Decorator;
        _decorator = decorator is { Operation.Length: > 0 } ? decorator : null;
        if (tracing.IsEgress)
        {
            if (_decorator is { } named)
            {
                ActiveSpan.SetOperation(named.Operation);
                if (named.Propagate)
                {
                    headers.Set(KnownHeader.EnvoyDecoratorOperation, named.Operation);
                }
            }
            return;
        }
        var given = headers.GetString(KnownHeader.EnvoyDecoratorOperation);
        if (given is not null)
        {
            if (given.Length > 0)
            {
                ActiveSpan.SetOperation(given);
                _decorator = null;
            }
            headers.Remove(KnownHeader.EnvoyDecoratorOperation);
        }
        else if (_decorator is { } own)
        {
            ActiveSpan.SetOperation(own.Operation);
        }
    }
}
