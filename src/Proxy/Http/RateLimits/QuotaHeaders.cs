using System.Globalization;
using System.Text;
using Envoy.Service.Ratelimit.V3;
using Unit = Envoy.Service.Ratelimit.V3.RateLimitResponse.RateLimit.Unit;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>`x-ratelimit-*` of draft-polli-ratelimit-headers-03 and `retry-after`, from what a service tells of its limits.</summary>
internal static class QuotaHeaders
{
    /// <summary>The limits of all descriptors, with what is left of the tightest; nothing when no limit is told.</summary>
    public static IEnumerable<UnsafeHeader> Draft03(IReadOnlyList<RateLimitResponse.DescriptorStatus> statuses)
    {
        RateLimitResponse.DescriptorStatus? tightest = null;
        var policy = new StringBuilder();
        foreach (var status in statuses)
        {
            if (status.CurrentLimit is not { } limit)
            {
                continue;
            }
            if (tightest is not { } found || status.LimitRemaining < found.LimitRemaining)
            {
                tightest = status;
            }
            var window = Seconds(limit.UnitValue) * (limit.UnitMultiplier ?? 1);
            if (window > 0)
            {
                policy.Append(CultureInfo.InvariantCulture, $", {limit.RequestsPerUnit};w={window}");
                if (limit.Name.Length > 0)
                {
                    policy.Append(CultureInfo.InvariantCulture, $";name=\"{limit.Name}\"");
                }
            }
        }
        if (tightest is not { CurrentLimit: { } shown } least)
        {
            yield break;
        }
        yield return new UnsafeHeader("x-ratelimit-limit", string.Create(CultureInfo.InvariantCulture, $"{shown.RequestsPerUnit}{policy}"));
        yield return new UnsafeHeader("x-ratelimit-remaining", least.LimitRemaining.ToString(CultureInfo.InvariantCulture));
        yield return new UnsafeHeader("x-ratelimit-reset", WholeSeconds(least.DurationUntilReset).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>When all limits that are exceeded have begun anew; null when the service does not tell.</summary>
    public static UnsafeHeader? RetryAfter(IReadOnlyList<RateLimitResponse.DescriptorStatus> statuses)
    {
        var longest = 0L;
        foreach (var status in statuses)
        {
            if (status.Code == RateLimitResponse.Code.OverLimit)
            {
                longest = Math.Max(longest, WholeSeconds(status.DurationUntilReset));
            }
        }
        return longest > 0 ? new UnsafeHeader("retry-after", longest.ToString(CultureInfo.InvariantCulture)) : null;
    }

    private static long WholeSeconds(TimeSpan? duration) => (long)(duration ?? TimeSpan.Zero).TotalSeconds;

    // A month has 30 days and a year 365, as in Envoy's XRateLimitHeaderUtils.
    private static long Seconds(Unit unit) => unit switch
    {
        Unit.Second => 1,
        Unit.Minute => 60,
        Unit.Hour => 3600,
        Unit.Day => 86_400,
        Unit.Week => 604_800,
        Unit.Month => 2_592_000,
        Unit.Year => 31_536_000,
        _ => 0,
    };
}
