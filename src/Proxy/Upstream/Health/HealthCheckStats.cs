using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>`health_check.…` of one cluster.</summary>
internal sealed class HealthCheckStats : IStatSource
{
    private static readonly StatBlockLayout Counters = new(
    [
        ("attempt", StatKind.Counter),
        ("success", StatKind.Counter),
        ("failure", StatKind.Counter),
        ("passive_failure", StatKind.Counter),
        ("network_failure", StatKind.Counter),
        ("verify_cluster", StatKind.Counter),
    ]);

    private static readonly StatBlockLayout Gauges = new([("healthy", StatKind.Gauge), ("degraded", StatKind.Gauge)]);

    private readonly StatBlock _counters;
    private readonly PrioritySet _hosts;

    public HealthCheckStats(IStatsScope cluster, PrioritySet hosts)
    {
        _hosts = hosts;
        var scope = cluster.Scope("health_check");
        _counters = scope.Block(Counters);
        scope.Observe(Gauges, this);
    }

    public long Read(int index)
    {
        var count = 0;
        foreach (var set in _hosts.Sets)
        {
            foreach (var host in set.Hosts)
            {
                var counts = index == 0
                    ? !host.Has(HealthFlags.FailedActiveHealthCheck)
                    : host.Has(HealthFlags.DegradedActiveHealthCheck);
                count += counts ? 1 : 0;
            }
        }
        return count;
    }

    public void Attempt() => _counters.Inc(0);

    public void Success() => _counters.Inc(1);

    public void VerifyCluster() => _counters.Inc(5);

    public void Failure(HealthCheckFailure kind)
    {
        _counters.Inc(2);
        if (kind == HealthCheckFailure.Passive)
        {
            _counters.Inc(3);
        }
        else if (kind is HealthCheckFailure.Network or HealthCheckFailure.NetworkTimeout)
        {
            _counters.Inc(4);
        }
    }
}
