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

    private readonly ResponseCodeStats _all = new(cluster.Stats);
    private readonly ResponseCodeStats _canary = new(cluster.Stats, "canary.");
    private readonly ResponseCodeStats _internal = new(cluster.Stats, "internal.");
    private readonly ResponseCodeStats _external = new(cluster.Stats, "external.");
    private readonly Dictionary<string, ResponseCodeStats> _named = new(StringComparer.Ordinal);

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
        _all.Charge(code);
        if (audience.IsCanary)
        {
            _canary.Charge(code);
        }
        (audience.IsInternal ? _internal : _external).Charge(code);
        audience.VirtualCluster?.Stats.Codes.Charge(code);
        audience.Route?.Codes.Charge(code);
        Zone(audience)?.Charge(code);
        Alternative(audience)?.Charge(code);
    }

    public void RecordTime(double milliseconds, in Audience audience)
    {
        _all.RecordTime(milliseconds);
        if (audience.IsCanary)
        {
            _canary.RecordTime(milliseconds);
        }
        (audience.IsInternal ? _internal : _external).RecordTime(milliseconds);
        audience.VirtualCluster?.Stats.Codes.RecordTime(milliseconds);
        audience.Route?.Codes.RecordTime(milliseconds);
        Zone(audience)?.RecordTime(milliseconds);
        Alternative(audience)?.RecordTime(milliseconds);
    }

    /// <summary>A response that a retry swallowed.</summary>
    public void ChargeRetried(int code) => Named("retry.").Charge(code);

    private ResponseCodeStats? Zone(in Audience audience) =>
        audience.FromZone.Length > 0 && audience.ToZone.Length > 0 ? Named($"zone.{audience.FromZone}.{audience.ToZone}.") : null;

    private ResponseCodeStats? Alternative(in Audience audience) =>
        audience.AltPrefix.Length > 0 ? Named($"{audience.AltPrefix}.") : null;

    private ResponseCodeStats Named(string prefix)
    {
        lock (_named)
        {
            if (!_named.TryGetValue(prefix, out var stats))
            {
                _named[prefix] = stats = new ResponseCodeStats(cluster.Stats, prefix);
            }
            return stats;
        }
    }
}
