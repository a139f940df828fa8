using Envoy.Config.Core.V3;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>What all kinds of checks share: core.v3.HealthCheck, compiled. Milliseconds.</summary>
internal sealed class HealthCheckOptions
{
    // HealthCheck.no_traffic_interval: 60 s.
    private const long DefaultNoTrafficInterval = 60_000;

    public HealthCheckOptions(HealthCheck config)
    {
        Config = config;
        Timeout = config.Timeout!.Value;
        UnhealthyThreshold = config.UnhealthyThreshold!.Value;
        HealthyThreshold = config.HealthyThreshold!.Value;
        Interval = Milliseconds(config.Interval)!.Value;
        UnhealthyInterval = Milliseconds(config.UnhealthyInterval) ?? Interval;
        UnhealthyEdgeInterval = Milliseconds(config.UnhealthyEdgeInterval) ?? UnhealthyInterval;
        HealthyEdgeInterval = Milliseconds(config.HealthyEdgeInterval) ?? Interval;
        NoTrafficInterval = Milliseconds(config.NoTrafficInterval) ?? DefaultNoTrafficInterval;
        NoTrafficHealthyInterval = Milliseconds(config.NoTrafficHealthyInterval) ?? NoTrafficInterval;
    }

    public HealthCheck Config { get; }

    public TimeSpan Timeout { get; }

    public uint UnhealthyThreshold { get; }

    public uint HealthyThreshold { get; }

    public bool ReuseConnection => Config.ReuseConnection ?? true;

    private long Interval { get; }

    private long UnhealthyInterval { get; }

    private long UnhealthyEdgeInterval { get; }

    private long HealthyEdgeInterval { get; }

    private long NoTrafficInterval { get; }

    private long NoTrafficHealthyInterval { get; }

    /// <summary>Time before the first check.</summary>
    public TimeSpan InitialDelay => TimeSpan.FromMilliseconds(Draw(Milliseconds(Config.InitialJitter) ?? 0));

    /// <summary>Time until the next check after one with that outcome (upstream 9).</summary>
    public TimeSpan NextInterval(bool healthy, bool changePending, bool hadTraffic)
    {
        var basis = (hadTraffic, healthy, changePending) switch
        {
            (false, true, false) => NoTrafficHealthyInterval,
            (false, _, _) => NoTrafficInterval,
            (_, true, true) => HealthyEdgeInterval,
            (_, true, false) => Interval,
            (_, false, true) => UnhealthyEdgeInterval,
            _ => UnhealthyInterval,
        };
        var jitter = Draw(Milliseconds(Config.IntervalJitter) ?? 0) + Draw(basis * Config.IntervalJitterPercent / 100);
        return TimeSpan.FromMilliseconds(basis + jitter);
    }

    private static long Draw(long limit) => limit <= 0 ? 0 : Random.Shared.NextInt64(limit);

    private static long? Milliseconds(TimeSpan? time) => time is { } given ? (long)given.TotalMilliseconds : null;
}
