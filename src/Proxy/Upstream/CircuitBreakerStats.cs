using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>`circuit_breakers.priority.…` gauges, read off the counts when shown.</summary>
internal sealed class CircuitBreakerStats(ResourceManager resources) : IStatSource
{
    private static readonly StatBlockLayout OpenLayout = new(
    [
        ("cx_open", StatKind.Gauge),
        ("cx_pool_open", StatKind.Gauge),
        ("rq_pending_open", StatKind.Gauge),
        ("rq_open", StatKind.Gauge),
        ("rq_retry_open", StatKind.Gauge),
    ]);

    private static readonly StatBlockLayout TrackingLayout = new(
    [
        .. OpenLayout.Entries,
        ("remaining_cx", StatKind.Gauge),
        ("remaining_cx_pools", StatKind.Gauge),
        ("remaining_pending", StatKind.Gauge),
        ("remaining_rq", StatKind.Gauge),
        ("remaining_retries", StatKind.Gauge),
    ]);

    public static void Observe(IStatsScope cluster, string priority, ResourceManager resources, CircuitBreakerLimits limits) =>
        cluster.Scope("circuit_breakers." + priority)
            .Observe(limits.TrackRemaining ? TrackingLayout : OpenLayout, new CircuitBreakerStats(resources));

    public long Read(int index) => index switch
    {
        0 => Open(resources.Connections),
        1 => Open(resources.ConnectionPools),
        2 => Open(resources.PendingRequests),
        3 => Open(resources.Requests),
        4 => resources.Retries.Count > 0 && !resources.CanRetry ? 1 : 0,
        5 => (long)resources.Connections.Remaining,
        6 => (long)resources.ConnectionPools.Remaining,
        7 => (long)resources.PendingRequests.Remaining,
        8 => (long)resources.Requests.Remaining,
        _ => (long)resources.Retries.Remaining,
    };

    private static long Open(Resource resource) => resource.ShownOpen ? 1 : 0;
}
