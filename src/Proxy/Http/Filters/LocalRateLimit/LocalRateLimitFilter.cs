using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.LocalRateLimit;

/// <summary>Limits requests by token buckets of this process.</summary>
internal sealed class LocalRateLimitFilter(LocalRateLimitSettings own) : PassThroughFilter
{
    private LocalRateLimitSettings? _used;
    private TokenBucket? _bucket;
    private bool _showsLimits;
    private bool _refused;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var settings = Decoder.MostSpecificPerFilterConfig<LocalRateLimitSettings>() ?? own;
        _used = settings;
        var random = Decoder.StreamInfo.StreamId;
        if (!settings.Enabled(random))
        {
            return FilterHeadersStatus.Continue;
        }
        settings.Stats.Enabled.Inc();
        var decision = settings.Decide(new RateLimitContext(headers, Decoder.StreamInfo, Decoder.Route));
        _bucket = decision.Bucket;
        _showsLimits = decision.ShowsLimits ?? settings.ShowsLimits;
        if (decision.Shadow)
        {
            settings.Stats.ShadowMode.Inc();
        }
        if (decision.Allowed)
        {
            settings.Stats.Ok.Inc();
            return FilterHeadersStatus.Continue;
        }
        settings.Stats.RateLimited.Inc();
        var context = new LogContext(headers, null, null, Decoder.StreamInfo);
        if (!settings.Enforced(random))
        {
            settings.UnenforcedHeaders.Evaluate(headers, context);
            return FilterHeadersStatus.Continue;
        }
        settings.Stats.Enforced.Inc();
        _refused = true;
        Decoder.StreamInfo.SetFlag(ResponseFlags.RateLimited);
        Decoder.SendLocalReply(settings.Status, "local_rate_limited"u8,
            answer => settings.ResponseHeaders.Evaluate(answer, context), settings.GrpcStatus, "local_rate_limited");
        return FilterHeadersStatus.StopIteration;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_bucket is not null && _used is { } settings)
        {
            if (_showsLimits)
            {
                headers.Set("x-ratelimit-limit"u8, Number(_bucket.Maximum));
                headers.Set("x-ratelimit-remaining"u8, Number(_bucket.Remaining));
                headers.Set("x-ratelimit-reset"u8, Number(_bucket.SecondsToNext));
            }
            if (_refused && settings.ShowsRetryAfter)
            {
                headers.Set("retry-after"u8, Number(_bucket.SecondsToNext));
            }
        }
        return FilterHeadersStatus.Continue;
    }

    private static byte[] Number(long value) => System.Text.Encoding.ASCII.GetBytes(
        value.ToString(System.Globalization.CultureInfo.InvariantCulture));
}
