using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>Injects what was drawn for the request: first the delay, then the abort; answers may be slowed down.</summary>
internal sealed class FaultFilter(FaultSettings own, FaultStats stats) : PassThroughFilter
{
    private const string Namespace = "envoy.filters.http.fault";

    private FaultSettings _settings = null!;
    private ResponseThrottle? _throttle;
    private LoopTimer? _delay;
    private string _caller = "";
    private bool _active;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _settings = Decoder.MostSpecificPerFilterConfig<FaultSettings>() ?? own;
        if (!_settings.AppliesTo(headers, Decoder.Route?.ClusterName))
        {
            return FilterHeadersStatus.Continue;
        }
        _caller = headers.GetString(KnownHeader.EnvoyDownstreamServiceCluster) ?? "";
        var random = Decoder.StreamInfo.StreamId;
        if (_settings.ResponseLimit(headers, random) is { } rate && TryBegin())
        {
            stats.RateLimits.Inc();
            _throttle = new ResponseThrottle(Encoder, rate);
        }
        if (_settings.Delay(headers, random, _caller) is { } wait && TryBegin())
        {
            Count(stats.Delays, "delays_injected");
            Decoder.StreamInfo.SetFlag(ResponseFlags.DelayInjected);
            _delay = Decoder.Loop.CreateTimer(AfterDelay);
            _delay.Arm(wait);
            return FilterHeadersStatus.StopAllIterationAndWatermark;
        }
        return AbortIfDrawn() ? FilterHeadersStatus.StopIteration : FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream)
    {
        if (_throttle is null)
        {
            return FilterDataStatus.Continue;
        }
        _throttle.Write(data, endStream);
        return FilterDataStatus.StopIterationNoBuffer;
    }

    public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers) =>
        _throttle is null || _throttle.OnTrailers() ? FilterTrailersStatus.Continue : FilterTrailersStatus.StopIteration;

    public override void OnDestroy()
    {
        _delay?.Disarm();
        _throttle?.Destroy();
        if (_active)
        {
            _active = false;
            stats.End();
        }
    }

    private void AfterDelay()
    {
        if (!AbortIfDrawn())
        {
            Decoder.ContinueDecoding();
        }
    }

    private bool AbortIfDrawn()
    {
        if (_settings.Abort(Decoder.RequestHeaders!, Decoder.StreamInfo.StreamId, _caller) is not { } abort || !TryBegin())
        {
            return false;
        }
        Count(stats.Aborts, "aborts_injected");
        Decoder.StreamInfo.SetFlag(ResponseFlags.FaultInjected);
        Decoder.SendLocalReply(abort.Code, _settings.Body, null, abort.GrpcStatus, "fault_filter_abort");
        return true;
    }

    // A stream counts once, however many faults it has.
    private bool TryBegin()
    {
        if (!_active && !(_active = stats.TryBegin(_settings.MaxActive)))
        {
            stats.Overflow.Inc();
            return false;
        }
        if (_settings.Metadata is { } metadata)
        {
            foreach (var (key, value) in metadata.Fields)
            {
                Decoder.StreamInfo.DynamicMetadata.Set(Namespace, key, value);
            }
        }
        return true;
    }

    private void Count(Counter counter, string name)
    {
        counter.Inc();
        if (_caller.Length > 0 && _settings.CountsByCaller)
        {
            stats.OfCaller(_caller, name).Inc();
        }
    }
}
