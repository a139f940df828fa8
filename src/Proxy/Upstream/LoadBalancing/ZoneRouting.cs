using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Zone-aware routing of priority 0: as much as the own zone can take stays there, the rest goes where capacity is left (upstream 4.2).</summary>
internal sealed class ZoneRouting
{
    // Percentages are kept times 100 (10,000 is all), as Envoy does.
    private const ulong Scale = 10_000;

    private readonly ulong _localPercent;
    private readonly ulong[]? _residual;

    private ZoneRouting(ulong localPercent, ulong[]? residual)
    {
        _localPercent = localPercent;
        _residual = residual;
    }

    /// <summary>Null when the preconditions do not hold.</summary>
    public static ZoneRouting? Build(HostSet upstream, HostSet[] local, ZoneAwareOptions options, StatBlock traffic)
    {
        traffic.Inc(ClusterStat.LbRecalculateZoneStructures);
        var upstreamZones = upstream.HealthyPerLocality;
        if (upstreamZones.Count < 2)
        {
            return null;
        }
        var localZones = local.Length == 0 ? null : local[0].HostsPerLocality;
        if (localZones is null || !localZones.HasLocalLocality || localZones.Hosts[0].Length == 0)
        {
            traffic.Inc(ClusterStat.LbLocalClusterNotOk);
            return null;
        }
        if ((ulong)upstream.Healthy.Length < options.MinClusterSize)
        {
            traffic.Inc(ClusterStat.LbZoneClusterTooSmall);
            return null;
        }
        var ours = Percentages(local[0].HealthyPerLocality, upstreamZones.Localities, options.ByWeight);
        var theirs = Percentages(upstreamZones, upstreamZones.Localities, options.ByWeight);
        var hasLocal = upstreamZones.HasLocalLocality && theirs[0] > 0;
        if (hasLocal && (theirs[0] >= ours[0]
            || (options.ForceLocalityMinSize is { } minimum && (ulong)upstreamZones.Hosts[0].Length >= minimum)))
        {
            return new ZoneRouting(Scale, null);
        }
        return new ZoneRouting(hasLocal && ours[0] > 0 ? theirs[0] * Scale / ours[0] : 0, Residuals(ours, theirs, upstreamZones.HasLocalLocality));
    }

    /// <summary>Index of the locality for one pick.</summary>
    public int Choose(LoadBalancerEnvironment environment)
    {
        if (_residual is null)
        {
            environment.Traffic.Inc(ClusterStat.LbZoneRoutingAllDirectly);
            return 0;
        }
        if (environment.Random() % Scale < _localPercent)
        {
            environment.Traffic.Inc(ClusterStat.LbZoneRoutingSampled);
            return 0;
        }
        environment.Traffic.Inc(ClusterStat.LbZoneRoutingCrossZone);
        var all = _residual[^1];
        if (all == 0)
        {
            environment.Traffic.Inc(ClusterStat.LbZoneNoCapacityLeft);
            return (int)(environment.Random() % (ulong)_residual.Length);
        }
        var threshold = environment.Random() % all;
        var index = 0;
        while (threshold >= _residual[index])
        {
            index++;
        }
        return index;
    }

    // Running sums of what each zone has more than we have there: a draw below the last finds its zone by a walk.
    private static ulong[] Residuals(ulong[] ours, ulong[] theirs, bool hasLocal)
    {
        var residual = new ulong[theirs.Length];
        ulong sum = 0;
        for (var i = 0; i < residual.Length; i++)
        {
            if (!(hasLocal && i == 0) && theirs[i] > ours[i])
            {
                sum += theirs[i] - ours[i];
            }
            residual[i] = sum;
        }
        return residual;
    }

    private static ulong[] Percentages(HostsPerLocality zones, Locality[] order, bool byWeight)
    {
        ulong total = 0;
        var byLocality = new Dictionary<Locality, ulong>();
        for (var i = 0; i < zones.Count; i++)
        {
            ulong size = 0;
            foreach (var host in zones.Hosts[i])
            {
                size += byWeight ? host.Weight : 1;
            }
            byLocality[zones.Localities[i]] = size;
            total += size;
        }
        return Array.ConvertAll(
            order, locality => total == 0 || !byLocality.TryGetValue(locality, out var size) ? 0 : Scale * size / total);
    }
}
