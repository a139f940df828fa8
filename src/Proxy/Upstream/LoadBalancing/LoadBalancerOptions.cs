namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>What all policies share: common_lb_config and locality_lb_config, compiled.</summary>
internal sealed record LoadBalancerOptions
{
    /// <summary>healthy_panic_threshold, percent; Envoy's default is 50.</summary>
    public uint PanicThreshold { get; init; } = 50;

    public bool LocalityWeighted { get; init; }

    /// <summary>Null when zone-aware routing is off.</summary>
    public ZoneAwareOptions? ZoneAware { get; init; }

    public SlowStartOptions? SlowStart { get; init; }
}

/// <param name="RoutingEnabled">Percent of picks that take part.</param>
internal sealed record ZoneAwareOptions(
    double RoutingEnabled, ulong MinClusterSize, bool FailTrafficOnPanic, ulong? ForceLocalityMinSize, bool ByWeight)
{
    /// <summary>Envoy's default of min_cluster_size.</summary>
    public const ulong DefaultMinClusterSize = 6;
}

/// <param name="WindowMilliseconds">slow_start_window.</param>
/// <param name="MinWeightPercent">0 to 1.</param>
internal sealed record SlowStartOptions(long WindowMilliseconds, Func<double> Aggression, double MinWeightPercent);
