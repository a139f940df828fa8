using System.Runtime.CompilerServices;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// Response codes and times of one cluster's backends: all, canary, internal or external, by zone, by alternative name
/// (Envoy's CodeStatsImpl). One per cluster object, found without a search after the first request of a thread.
/// </summary>
internal sealed class UpstreamCodeStats(ICluster cluster)
{
    private static readonly ConditionalWeakTable<ICluster, UpstreamCodeStats> Known = [];

    private readonly Group _all = new(cluster, "");
    private readonly Dictionary<string, Group> _alternatives = new(StringComparer.Ordinal);
    private readonly ResponseCodeStats _retry = new(cluster.Stats, "retry.");

    [ThreadStatic]
    private static ICluster? t_cluster;

    [ThreadStatic]
    private static UpstreamCodeStats? t_stats;

    public static UpstreamCodeStats Of(ICluster cluster)
    {
        if (!ReferenceEquals(t_cluster, cluster))
        {
            t_stats = Known.GetValue(cluster, static one => new UpstreamCodeStats(one));
            t_cluster = cluster;
        }
        return t_stats!;
    }

    /// <summary>Who a response is counted for beside the cluster.</summary>
    public readonly record struct Audience(
        bool IsCanary, bool IsInternal, string FromZone, string ToZone, string AltPrefix,
        VirtualClusterEntry? VirtualCluster, VirtualClusterStats? Route);

    public void Charge(int code, in Audience audience)
    {
        _all.Charge(code, audience);
        audience.VirtualCluster?.Stats.Codes.Charge(code);
        audience.Route?.Codes.Charge(code);
        Alternative(audience)?.Charge(code, audience);
    }

    public void RecordTime(double milliseconds, in Audience audience)
    {
        _all.RecordTime(milliseconds, audience);
        audience.VirtualCluster?.Stats.Codes.RecordTime(milliseconds);
        audience.Route?.Codes.RecordTime(milliseconds);
        Alternative(audience)?.RecordTime(milliseconds, audience);
    }

    /// <summary>A response that a retry swallowed.</summary>
    public void ChargeRetried(int code) => _retry.Charge(code);

    private Group? Alternative(in Audience audience)
    {
        if (audience.AltPrefix.Length == 0)
        {
            return null;
        }
        lock (_alternatives)
        {
            if (!_alternatives.TryGetValue(audience.AltPrefix, out var group))
            {
                _alternatives[audience.AltPrefix] = group = new Group(cluster, $"{audience.AltPrefix}.");
            }
            return group;
        }
    }

    /// <summary>The counters under one prefix.</summary>
    private sealed class Group(ICluster cluster, string prefix)
    {
        private readonly ResponseCodeStats _all = new(cluster.Stats, prefix);
        private readonly ResponseCodeStats _canary = new(cluster.Stats, prefix + "canary.");
        private readonly ResponseCodeStats _internal = new(cluster.Stats, prefix + "internal.");
        private readonly ResponseCodeStats _external = new(cluster.Stats, prefix + "external.");
        private readonly Dictionary<(string From, string To), ResponseCodeStats> _zones = [];

        public void Charge(int code, in Audience audience)
        {
            _all.Charge(code);
            if (audience.IsCanary)
            {
                _canary.Charge(code);
            }
            (audience.IsInternal ? _internal : _external).Charge(code);
            Zone(audience)?.Charge(code);
        }

        public void RecordTime(double milliseconds, in Audience audience)
        {
            _all.RecordTime(milliseconds);
            if (audience.IsCanary)
            {
                _canary.RecordTime(milliseconds);
            }
            (audience.IsInternal ? _internal : _external).RecordTime(milliseconds);
            Zone(audience)?.RecordTime(milliseconds);
        }

        private ResponseCodeStats? Zone(in Audience audience)
        {
            if (audience.FromZone.Length == 0 || audience.ToZone.Length == 0)
            {
                return null;
            }
            lock (_zones)
            {
                var key = (audience.FromZone, audience.ToZone);
                if (!_zones.TryGetValue(key, out var stats))
                {
                    _zones[key] = stats = new ResponseCodeStats(cluster.Stats, $"{prefix}zone.{audience.FromZone}.{audience.ToZone}.");
                }
                return stats;
            }
        }
    }
}
