using System.IO.Hashing;
using System.Text;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Discovery;

/// <summary>
/// A subscription's statistics. Taken one by one, not as a block of their own: a cluster's scope has some of these names
/// already, and they are the same statistics there.
/// </summary>
internal sealed class SubscriptionStats
{
    private readonly Counter _initFetchTimeout;
    private readonly Counter _attempt;
    private readonly Counter _failure;
    private readonly Counter _rejected;
    private readonly Counter _success;
    private readonly Gauge _time;
    private readonly Gauge _version;
    private readonly Histogram _duration;
    private readonly TextReadout _versionText;

    public SubscriptionStats(IStatsScope scope)
    {
        _initFetchTimeout = scope.Counter("init_fetch_timeout");
        _attempt = scope.Counter("update_attempt");
        _failure = scope.Counter("update_failure");
        _rejected = scope.Counter("update_rejected");
        _success = scope.Counter("update_success");
        _time = scope.Gauge("update_time");
        _version = scope.Gauge("version");
        _duration = scope.Histogram("update_duration");
        _versionText = scope.TextReadout("version_text");
    }

    public void Attempted() => _attempt.Inc();

    public void Failed() => _failure.Inc();

    public void Rejected() => _rejected.Inc();

    public void FetchTimedOut() => _initFetchTimeout.Inc();

    /// <param name="version">version_info of the answer; the gauge is its hash, as there are no texts among gauges.</param>
    public void Succeeded(string version, TimeSpan duration)
    {
        _success.Inc();
        _time.Set(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        _version.Set((long)XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(version)));
        _versionText.Set(version);
        _duration.Record(duration.TotalMilliseconds);
    }
}
