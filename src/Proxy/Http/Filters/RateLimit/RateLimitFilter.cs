using System.Globalization;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Filters.RateLimit;

/// <summary>Holds a request until the service has counted it.</summary>
internal sealed class RateLimitFilter(RateLimitSettings settings) : PassThroughFilter, IRateLimitCallbacks
{
    /// <summary>Filter state with what a request counts (Envoy's well-known object of that name).</summary>
    private const string HitsKey = "envoy.ratelimit.hits_addend";

    private readonly List<UnsafeHeader> _responseHeaders = [];
    private HeaderMap? _headers;
    private RateLimitRouteSettings? _own;
    private ICluster? _cluster;
    private IAsyncRequest? _call;
    private bool _limited;
    private bool _asking;
    private bool _waiting;
    private bool _answered;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!settings.Enabled(Decoder.StreamInfo.StreamId))
        {
            return FilterHeadersStatus.Continue;
        }
        _headers = headers;
        Ask(headers);
        return _waiting || _answered ? FilterHeadersStatus.StopIteration : FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream) =>
        _waiting || _answered ? FilterDataStatus.StopIterationAndWatermark : FilterDataStatus.Continue;

    public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers) =>
        _waiting || _answered ? FilterTrailersStatus.StopIteration : FilterTrailersStatus.Continue;

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        AddResponseHeaders(headers);
        return FilterHeadersStatus.Continue;
    }

    public override void OnLocalReply(int code, string details) => _answered = true;

    /// <summary>Counts what is only known when the exchange is over; nobody waits for the answer.</summary>
    public override void OnStreamComplete()
    {
        if (_headers is not { } headers || Decoder.Route is null || !settings.Counts(headers))
        {
            return;
        }
        var context = new RateLimitContext(headers, Decoder.StreamInfo, Decoder.Route, Decoder.ResponseHeaders);
        var descriptors = settings.Describe(_own, context, onStreamDone: true);
        if (descriptors.Count > 0)
        {
            settings.Client.Limit(
                settings.DomainOf(_own), descriptors, Hits(), Decoder.StreamInfo, headers, null, UnheardAnswer.Instance);
        }
    }

    public override void OnDestroy()
    {
        if (_waiting)
        {
            _waiting = false;
            _call?.Cancel();
        }
    }

    public void OnLimit(LimitAnswer answer)
    {
        _waiting = false;
        if (_answered)
        {
            return;
        }
        TakeMetadata(answer);
        _responseHeaders.AddRange(answer.ResponseHeaders);
        Count(answer.Status switch
        {
            LimitStatus.Ok => RateLimitSettings.Ok,
            LimitStatus.OverLimit => RateLimitSettings.OverLimit,
            _ => RateLimitSettings.Error,
        });
        if (answer.Status == LimitStatus.OverLimit)
        {
            NoteLimited(answer);
        }
        if (settings.ShowsLimits)
        {
            _responseHeaders.AddRange(QuotaHeaders.Draft03(answer.Statuses));
        }
        var random = Decoder.StreamInfo.StreamId;
        if (answer.Status == LimitStatus.OverLimit && settings.Enforced(random))
        {
            Refuse(answer);
        }
        else if (answer.Status == LimitStatus.Error && settings.DeniesOnFailure(random))
        {
            Decoder.StreamInfo.SetFlag(ResponseFlags.RateLimitServiceError);
            Decoder.SendLocalReply(settings.ErrorStatus, default, null, null, ResponseCodeDetails.RateLimiterError);
        }
        else
        {
            Pass(answer);
        }
    }

    private void Ask(HeaderMap headers)
    {
        // What is not forwarded has no cluster to count for.
        if (!settings.Counts(headers) || Decoder.Route is not { } route || Decoder.ClusterInfo is not { } cluster)
        {
            return;
        }
        _own = Decoder.MostSpecificPerFilterConfig<RateLimitRouteSettings>();
        var descriptors = settings.Describe(_own, new RateLimitContext(headers, Decoder.StreamInfo, route), onStreamDone: false);
        if (descriptors.Count == 0)
        {
            return;
        }
        _cluster = cluster;
        _asking = _waiting = true;
        _call = settings.Client.Limit(
            settings.DomainOf(_own), descriptors, Hits(), Decoder.StreamInfo, headers, Decoder.ActiveSpan, this);
        _asking = false;
    }

    private uint Hits() => Decoder.StreamInfo.FilterState.Get(HitsKey)?.SerializeAsString() is { } text
        && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hits) ? hits : 0;

    private void NoteLimited(LimitAnswer answer)
    {
        _limited = settings.MarksLimited;
        UpstreamCodeStats.Of(_cluster!).Charge(
            settings.LimitedStatus, new UpstreamCodeStats.Audience(false, true, "", "", "", null, null));
        if (settings.ShowsRetryAfter && QuotaHeaders.RetryAfter(answer.Statuses) is { } header)
        {
            _responseHeaders.Add(header);
        }
    }

    private void Refuse(LimitAnswer answer)
    {
        _answered = true;
        Decoder.StreamInfo.SetFlag(ResponseFlags.RateLimited);
        var context = new LogContext(_headers, null, null, Decoder.StreamInfo);
        Decoder.SendLocalReply(settings.LimitedStatus, answer.Body.Span, reply =>
        {
            if (_responseHeaders.Exists(static header => header.Name.Equals("content-type", StringComparison.OrdinalIgnoreCase)))
            {
                reply.Remove(KnownHeader.ContentType);
            }
            AddResponseHeaders(reply);
            settings.LimitedHeaders.Evaluate(reply, context);
        }, settings.LimitedGrpcStatus, ResponseCodeDetails.RequestRateLimited);
    }

    private void Pass(LimitAnswer answer)
    {
        if (answer.Status == LimitStatus.Error)
        {
            Count(RateLimitSettings.FailureModeAllowed);
        }
        foreach (var header in answer.RequestHeaders)
        {
            if (!header.Name.StartsWith(':'))
            {
                header.AddTo(_headers!);
            }
        }
        if (!_asking)
        {
            Decoder.ContinueDecoding();
        }
    }

    // Once: a local reply passes EncodeHeaders too.
    private void AddResponseHeaders(HeaderMap headers)
    {
        foreach (var header in _responseHeaders)
        {
            if (!header.Name.StartsWith(':'))
            {
                header.AddTo(headers);
            }
        }
        _responseHeaders.Clear();
        if (_limited)
        {
            headers.Set(KnownHeader.EnvoyRateLimited, "true"u8);
            _limited = false;
        }
    }

    private void Count(int stat) => settings.Count(_cluster!, stat);

    private void TakeMetadata(LimitAnswer answer)
    {
        if (answer.DynamicMetadata is { } metadata)
        {
            Decoder.StreamInfo.DynamicMetadata.Set(settings.MetadataNamespace, metadata.Fields);
        }
    }

    private sealed class UnheardAnswer : IRateLimitCallbacks
    {
        public static readonly UnheardAnswer Instance = new();

        public void OnLimit(LimitAnswer answer)
        {
        }
    }
}
