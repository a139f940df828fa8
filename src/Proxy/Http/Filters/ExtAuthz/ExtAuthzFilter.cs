using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using Stat = MeshProxy.Proxy.Http.Filters.ExtAuthz.ExtAuthzStats.Stat;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>Holds a request until a service has said whether it may go on; whatever is not an answer that allows ends it.</summary>
internal sealed class ExtAuthzFilter(ExtAuthzConfig config) : PassThroughFilter, IAuthorizationCallbacks
{
    private const string Namespace = "envoy.filters.http.ext_authz";
    private const int InternalServerError = 500;

    private HeaderMap _headers = null!;
    private RequestBody? _body;
    private IAsyncRequest? _call;
    private ICluster? _cluster;
    private CheckResult? _allowed;
    private ExtAuthzLoggingInfo? _logging;
    private long _started;
    private bool _buffering;
    private bool _asking;
    private bool _waiting;
    private bool _answered;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var own = Decoder.MostSpecificPerFilterConfig<ExtAuthzRouteConfig>();
        // Without a route the request gets its 404; asking would be in vain.
        if (Decoder.Route is null || own is { Disabled: true })
        {
            return FilterHeadersStatus.Continue;
        }
        if (!config.IsEnabled(Decoder.StreamInfo))
        {
            config.Stats.Inc(Stat.Disabled);
            if (!config.DenyAtDisable)
            {
                return FilterHeadersStatus.Continue;
            }
            Answer(config.StatusOnError, [], null, ResponseCodeDetails.ExtAuthzError);
            return FilterHeadersStatus.StopIteration;
        }
        _headers = headers;
        _body = own is { WithoutBody: true } ? null : own?.Body ?? config.Body;
        if (_body is { } body && !endStream && !HeaderTokens.IsUpgrade(headers))
        {
            _buffering = true;
            if (!body.AllowPartial)
            {
                // What comes beyond it is answered by the filter manager with 413.
                Decoder.DecoderBufferLimit = body.MaxBytes;
            }
            return FilterHeadersStatus.StopIteration;
        }
        Ask();
        return _answered ? FilterHeadersStatus.StopIteration
            : _waiting ? FilterHeadersStatus.StopAllIterationAndWatermark : FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        if (_waiting || _answered)
        {
            return FilterDataStatus.StopIterationAndWatermark;
        }
        if (!_buffering)
        {
            return FilterDataStatus.Continue;
        }
        var full = _body!.AllowPartial && data.Length + (Decoder.DecodingBuffer?.Length ?? 0) >= _body.MaxBytes;
        if (!endStream && !full)
        {
            return FilterDataStatus.StopIterationAndBuffer;
        }
        Decoder.AddDecodedData(data, streaming: _body.AllowPartial);
        if (!_answered)
        {
            Ask();
        }
        return _waiting || _answered ? FilterDataStatus.StopIterationAndWatermark : FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        if (_buffering && !_waiting && !_answered)
        {
            Ask();
        }
        return _waiting || _answered ? FilterTrailersStatus.StopIteration : FilterTrailersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_allowed is { } result
            && !ResponseAdditions.Apply(result, headers, config.EnforcesResponseLimits ? CodecLimits.Default : null))
        {
            _allowed = null;
            config.Stats.Inc(Stat.ResponseHeaderLimitsReached);
            Decoder.StreamInfo.SetFlag(ResponseFlags.UnauthorizedExternalService);
            Encoder.SendLocalReply(InternalServerError, default, null, null, ResponseCodeDetails.ExtAuthzInvalid);
            return FilterHeadersStatus.StopIteration;
        }
        return FilterHeadersStatus.Continue;
    }

    public override void OnLocalReply(int code, string details) => _answered = true;

    public override void OnDestroy()
    {
        if (_waiting)
        {
            _waiting = false;
            _call?.Cancel();
        }
    }

    public void OnComplete(CheckResult result)
    {
        _waiting = false;
        if (_answered)
        {
            return;
        }
        RecordCall(result);
        if (result.SawInvalidAction && config.Mutations.Validates)
        {
            Reject(Stat.Invalid);
            return;
        }
        TakeMetadata(result);
        if (config.IsShadow)
        {
            Record(result);
            return;
        }
        switch (result.Status)
        {
            case CheckStatus.Ok:
                Allow(result);
                break;
            case CheckStatus.Denied:
                Deny(result);
                break;
            default:
                Fail(result);
                break;
        }
    }

    private void Ask()
    {
        StartLogging();
        var client = config.Client;
        var span = config.EmitsSpan;
        var extensions = new Dictionary<string, string>(StringComparer.Ordinal);
        Decoder.TraversePerFilterConfig<ExtAuthzRouteConfig>(level =>
        {
            foreach (var (key, value) in level.ContextExtensions)
            {
                extensions[key] = value;
            }
        });
        if (Decoder.MostSpecificPerFilterConfig<ExtAuthzRouteConfig>() is { } own)
        {
            client = own.Client ?? client;
            span = own.EmitsSpan ?? span;
        }
        var request = CheckRequests.ForRequest(Decoder, _headers, config.Contents, extensions,
            config.Contexts.OfRequest(Decoder.StreamInfo), config.Contexts.OfRouteTaken(Decoder.Route), _body?.MaxBytes ?? 0);
        _cluster = Decoder.ClusterInfo;
        _started = EventLoop.NowNanoseconds;
        _asking = _waiting = true;
        _call = client.Check(request, new CheckContext(Decoder.StreamInfo, _headers, span ? Decoder.ActiveSpan : null), this);
        _asking = false;
    }

    private void Allow(CheckResult result)
    {
        // Headers and query decide the route.
        if (config.ClearRouteCache && ChangesRoute(result))
        {
            Decoder.ClearRouteCache();
        }
        if (!RequestMutations.Apply(result, _headers, config.Mutations) || (config.Mutations.Validates && !ResponseAdditions.AreValid(result)))
        {
            Reject(Stat.Invalid);
            return;
        }
        if (!Decoder.RequestHeaderLimits.Hold(_headers))
        {
            Reject(Stat.RequestHeaderLimitsReached);
            return;
        }
        _allowed = result;
        Count(Stat.Ok);
        Continue();
    }

    private bool ChangesRoute(CheckResult result)
    {
        var decisive = config.ClearRouteCacheHeaders;
        if (decisive.Count == 0)
        {
            return result.ChangesRequest;
        }
        return result.ChangesQuery || Names(result.HeadersToSet) || Names(result.HeadersToAdd) || Names(result.HeadersToAppend)
            || result.HeadersToRemove.Exists(name => decisive.Contains(name.ToLowerInvariant()));

        bool Names(List<UnsafeHeader> headers) => headers.Exists(header => decisive.Contains(header.Name.ToLowerInvariant()));
    }

    private void Deny(CheckResult result)
    {
        Count(Stat.Denied);
        if (_cluster is { } cluster && config.ChargesCluster)
        {
            UpstreamCodeStats.Of(cluster).Charge(
                result.StatusCode, new UpstreamCodeStats.Audience(false, true, "", "", "", null, null));
        }
        if (config.Mutations.Validates && !HeaderText.AreValid(result.HeadersToSet))
        {
            Reject(Stat.Invalid);
            return;
        }
        Answer(result.StatusCode, Cut(result.Body), headers => AddTo(headers, result), ResponseCodeDetails.ExtAuthzDenied);
    }

    private void Fail(CheckResult result)
    {
        Count(Stat.Error);
        if (config.FailureModeAllow)
        {
            Count(Stat.FailureModeAllowed);
            if (config.FailureModeAllowHeader)
            {
                _headers.Add(AuthorizationHeaders.FailureModeAllowed, "true"u8);
            }
            Continue();
            return;
        }
        var custom = result.StatusCode > 0 || result.HeadersToSet.Count > 0 || result.Body.Length > 0;
        if (!custom || (config.Mutations.Validates && !HeaderText.AreValid(result.HeadersToSet)))
        {
            Answer(config.StatusOnError, [], null, ResponseCodeDetails.ExtAuthzError);
            return;
        }
        Answer(result.StatusCode > 0 ? result.StatusCode : config.StatusOnError, Cut(result.Body),
            headers => AddTo(headers, result), ResponseCodeDetails.ExtAuthzError);
    }

    private void Record(CheckResult result)
    {
        var code = result.Status == CheckStatus.Denied ? result.StatusCode : result.Status == CheckStatus.Error ? config.StatusOnError : 0;
        Decoder.StreamInfo.FilterState.Set($"{Decoder.FilterConfigName}.shadow", new ShadowDecision(result.Status, code),
            FilterStateLifeSpan.Request);
        if (result.Status == CheckStatus.Ok)
        {
            Count(Stat.Ok);
        }
        else
        {
            config.Stats.Inc(result.Status == CheckStatus.Denied ? Stat.ShadowDenied : Stat.ShadowError);
        }
        Continue();
    }

    private void Reject(Stat reason)
    {
        Count(reason);
        Answer(InternalServerError, [], null, ResponseCodeDetails.ExtAuthzInvalid);
    }

    private void Answer(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modify, string details)
    {
        _answered = true;
        Decoder.StreamInfo.SetFlag(ResponseFlags.UnauthorizedExternalService);
        Decoder.SendLocalReply(code, body, modify, null, details);
    }

    private ReadOnlySpan<byte> Cut(byte[] body) =>
        config.MaxDeniedBody > 0 && body.Length > config.MaxDeniedBody ? body.AsSpan(0, (int)config.MaxDeniedBody) : body;

    // They replace what the answer had, but may stand several times themselves.
    private void AddTo(HeaderMap answer, CheckResult result)
    {
        foreach (var header in result.HeadersToSet)
        {
            var name = HeaderText.Name(header.Name);
            if (name.Length > 0 && name[0] != ':')
            {
                answer.Remove(name);
            }
        }
        foreach (var header in result.HeadersToSet)
        {
            if (config.EnforcesResponseLimits && answer.Count >= CodecLimits.Default.MaxHeadersCount)
            {
                config.Stats.Inc(Stat.OmittedResponseHeaders);
                break;
            }
            if (!header.Name.StartsWith(':'))
            {
                header.AddTo(answer);
            }
        }
    }

    private void Count(Stat stat)
    {
        if (_cluster is { } cluster)
        {
            config.CountersOf(cluster).Inc(stat);
        }
        config.Stats.Inc(stat);
    }

    private void Continue()
    {
        _buffering = false;
        if (!_asking)
        {
            Decoder.ContinueDecoding();
        }
    }

    private void TakeMetadata(CheckResult result)
    {
        if (result.DynamicMetadata.Count == 0)
        {
            return;
        }
        if (!config.TakesMetadata)
        {
            config.Stats.Inc(Stat.IgnoredDynamicMetadata);
            return;
        }
        var metadata = Decoder.StreamInfo.DynamicMetadata;
        metadata.Set(Namespace, result.DynamicMetadata);
        if (result.Status == CheckStatus.Ok)
        {
            metadata.Set(Namespace, "ext_authz_duration",
                MetadataValue.From((double)((EventLoop.NowNanoseconds - _started) / 1_000_000)));
        }
    }

    private void StartLogging()
    {
        if (!config.EmitsStats && config.FilterMetadata is null)
        {
            return;
        }
        var state = Decoder.StreamInfo.FilterState;
        if (state.Get(Decoder.FilterConfigName) is not { } present)
        {
            state.Set(Decoder.FilterConfigName, _logging = new ExtAuthzLoggingInfo(config.FilterMetadata), FilterStateLifeSpan.Request);
            return;
        }
        _logging = present as ExtAuthzLoggingInfo;
        if (_logging is null)
        {
            config.Stats.Inc(Stat.FilterStateNameCollision);
        }
    }

    private void RecordCall(CheckResult result)
    {
        if (_logging is not { } logging || !config.EmitsStats)
        {
            return;
        }
        logging.GrpcStatus = result.GrpcStatus;
        logging.LatencyMicroseconds = (EventLoop.NowNanoseconds - _started) / 1000;
        if (result.GrpcStatus is not null && _call?.StreamInfo?.Upstream is { } upstream)
        {
            logging.BytesSent = upstream.WireBytesSent;
            logging.BytesReceived = upstream.WireBytesReceived;
        }
    }
}
