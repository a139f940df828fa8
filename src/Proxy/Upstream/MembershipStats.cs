using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>`membership_…` gauges, counted when shown.</summary>
internal sealed class MembershipStats(PrioritySet hosts) : IStatSource
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("membership_total", StatKind.Gauge),
        ("membership_healthy", StatKind.Gauge),
        ("membership_degraded", StatKind.Gauge),
        ("membership_excluded", StatKind.Gauge),
        ("max_host_weight", StatKind.Gauge),
    ]);

    public long Read(int index)
    {
        long value = 0;
        foreach (var set in hosts.Sets)
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
