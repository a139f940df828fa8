using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>`membership_…` and `circuit_breakers.…` of one cluster: counted when shown, so that they cost nothing in between.</summary>
internal sealed class ClusterGauges(ClusterEntry cluster) : IStatSource
{
    private static readonly string[] Membership =
    [
        "membership_total",
        "membership_healthy",
        "membership_degraded",
        "membership_excluded",
        "max_host_weight",
    ];

    private static readonly string[] Open = ["cx_open", "cx_pool_open", "rq_pending_open", "rq_open", "rq_retry_open"];

    private static readonly string[] Remaining =
        ["remaining_cx", "remaining_cx_pools", "remaining_pending", "remaining_rq", "remaining_retries"];

    // By whether the remainders of the default and of the high priority are tracked.
    private static readonly StatBlockLayout[] Layouts = [Layout(false, false), Layout(true, false), Layout(false, true), Layout(true, true)];

    public static void Observe(ClusterEntry cluster) => cluster.Stats.Observe(
        Layouts[(cluster.Info.DefaultLimits.TrackRemaining ? 1 : 0) + (cluster.Info.HighLimits.TrackRemaining ? 2 : 0)],
        new ClusterGauges(cluster));

    public long Read(int index)
    {
        if (index < Membership.Length)
        {
            return ReadMembership(index);
        }
        index -= Membership.Length;
        var ofDefault = Open.Length + (cluster.Info.DefaultLimits.TrackRemaining ? Remaining.Length : 0);
        return index < ofDefault
            ? ReadBreaker(RoutingPriority.Default, cluster.Info.DefaultLimits, index)
            : ReadBreaker(RoutingPriority.High, cluster.Info.HighLimits, index - ofDefault);
    }

    private static StatBlockLayout Layout(bool trackDefault, bool trackHigh) => new(
    [
        .. Membership.Select(static name => (name, StatKind.Gauge)),
        .. Names("default", trackDefault),
        .. Names("high", trackHigh),
    ]);

    private static IEnumerable<(string, StatKind)> Names(string priority, bool tracked) =>
        (tracked ? Open.Concat(Remaining) : Open).Select(name => ($"circuit_breakers.{priority}.{name}", StatKind.Gauge));

    private long ReadMembership(int index)
    {
        long value = 0;
        foreach (var set in cluster.Hosts.Sets)
        {
            value = index switch
            {
                0 => value + set.Hosts.Length,
                1 => value + set.Healthy.Length,
                2 => value + set.Degraded.Length,
                3 => value + set.ExcludedCount,
                _ => Math.Max(value, MaxWeight(set.Hosts)),
            };
        }
        return value;
    }

    private long ReadBreaker(RoutingPriority priority, CircuitBreakerLimits limits, int index) =>
        cluster.UsedResources(priority) is { } resources ? ReadBreaker(resources, index) : ReadUnused(limits, index);

    // Nothing was counted yet: all closed, all that is allowed remains.
    private static long ReadUnused(CircuitBreakerLimits limits, int index) => index switch
    {
        < 5 => 0,
        5 => (long)limits.MaxConnections,
        6 => (long)limits.MaxConnectionPools,
        7 => (long)limits.MaxPendingRequests,
        8 => (long)limits.MaxRequests,
        _ => (long)limits.MaxRetries,
    };

    private static long ReadBreaker(ResourceManager resources, int index) => index switch
    {
        0 => IsOpen(resources.Connections),
        1 => IsOpen(resources.ConnectionPools),
        2 => IsOpen(resources.PendingRequests),
        3 => IsOpen(resources.Requests),
        4 => resources.Retries.Count > 0 && !resources.CanRetry ? 1 : 0,
        5 => (long)resources.Connections.Remaining,
        6 => (long)resources.ConnectionPools.Remaining,
        7 => (long)resources.PendingRequests.Remaining,
        8 => (long)resources.Requests.Remaining,
        _ => (long)resources.Retries.Remaining,
    };

    private static long IsOpen(Resource resource) => resource.ShownOpen ? 1 : 0;

    private static long MaxWeight(HostImpl[] hosts)
    {
        long max = 0;
        foreach (var host in hosts)
        {
            max = Math.Max(max, host.Weight);
        }
        return max;
    }
}
