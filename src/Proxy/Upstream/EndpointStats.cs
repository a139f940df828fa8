using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Upstream;

/// <summary>`endpoint.address.…` of one host, where track_cluster_stats.per_endpoint_stats asks for it; read off the host's counts.</summary>
internal sealed class EndpointStats(HostImpl host) : IStatSource
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("cx_active", StatKind.Gauge),
        ("cx_connect_fail", StatKind.Counter),
        ("cx_total", StatKind.Counter),
        ("healthy", StatKind.Gauge),
        ("rq_active", StatKind.Gauge),
        ("rq_error", StatKind.Counter),
        ("rq_pending_active", StatKind.Gauge),
        ("rq_success", StatKind.Counter),
        ("rq_timeout", StatKind.Counter),
        ("rq_total", StatKind.Counter),
    ]);

    /// <summary>Shows a host's counts until the scope is disposed.</summary>
    public static IStatsScope Observe(ClusterInfo cluster, HostImpl host)
    {
        var scope = cluster.Stats.Scope("endpoint." + host.AddressText.Replace(':', '_'));
        // Told rather than found in the name: there the address's dots would end it.
        scope.Observe(Layout, new EndpointStats(host), new StatTags("cluster.endpoint.",
        [
            new("envoy.cluster_name", cluster.ObservabilityName),
            new("envoy.endpoint_address", host.AddressText),
        ]));
        return scope;
    }

    public long Read(int index)
    {
        var stats = host.Stats;
        return index switch
        {
            0 => Volatile.Read(ref stats.CxActive),
            1 => Volatile.Read(ref stats.CxConnectFail),
            2 => Volatile.Read(ref stats.CxTotal),
            3 => host.Health == HostHealth.Healthy ? 1 : 0,
            4 => Volatile.Read(ref stats.RqActive),
            5 => Volatile.Read(ref stats.RqError),
            6 => Volatile.Read(ref stats.RqPendingActive),
            7 => Volatile.Read(ref stats.RqSuccess),
            8 => Volatile.Read(ref stats.RqTimeout),
            _ => Volatile.Read(ref stats.RqTotal),
        };
    }
}
