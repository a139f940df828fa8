using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Filters.HealthCheck;

/// <summary>A compiled health_check filter, with the last answer of the backend where answers are cached.</summary>
internal sealed class HealthCheckSettings : IHttpFilterConfig
{
    private sealed record Answer(int Code, bool Degraded, long Until);

    private volatile Answer? _cached;

    public required bool PassThrough { get; init; }

    public required TimeSpan CacheTime { get; init; }

    public required HeaderMatcher[] Headers { get; init; }

    public required IReadOnlyList<(string Cluster, double Percent)> MinHealthy { get; init; }

    public required IClusterManager Clusters { get; init; }

    public required ServerHealth Server { get; init; }

    public required byte[] NodeCluster { get; init; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new HealthCheckFilter(this));

    /// <summary>The answer that still stands.</summary>
    public bool TryGetCached(EventLoop loop, out int code, out bool degraded)
    {
        var cached = _cached;
        code = cached?.Code ?? 0;
        degraded = cached?.Degraded ?? false;
        return PassThrough && CacheTime > TimeSpan.Zero && cached is not null && loop.Now < cached.Until;
    }

    public void Cache(EventLoop loop, int code, bool degraded)
    {
        if (CacheTime > TimeSpan.Zero)
        {
            _cached = new Answer(code, degraded, loop.Now + (long)CacheTime.TotalMilliseconds);
        }
    }

    /// <summary>Whether all clusters have the share of healthy endpoints that is asked for.</summary>
    public bool ClustersAreHealthy()
    {
        foreach (var (name, percent) in MinHealthy)
        {
            if (Clusters.Get(name) is not { } cluster)
            {
                return false;
            }
            var members = cluster.Members;
            // An empty cluster is healthy only when nothing is asked of it.
            if (members.Total == 0 ? percent > 0 : 100.0 * (members.Healthy + members.Degraded) < percent * members.Total)
            {
                return false;
            }
        }
        return true;
    }
}
