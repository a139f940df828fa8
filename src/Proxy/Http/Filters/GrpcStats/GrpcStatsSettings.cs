using System.Runtime.CompilerServices;
using System.Text;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Extensions.Filters.Http.GrpcStats.V3.FilterConfig;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>What a grpc_stats filter counts, and the counters of each cluster and method.</summary>
internal sealed class GrpcStatsSettings
{
    private readonly bool _allMethods;
    private readonly bool _replaceDots;
    private readonly HashSet<string> _allowed = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<ICluster, Dictionary<string, GrpcMethodStats>> _stats = [];

    public GrpcStatsSettings(Config config)
    {
        EmitFilterState = config.EmitFilterState;
        UpstreamTimes = config.EnableUpstreamStats;
        _replaceDots = config.ReplaceDotsInGrpcServiceName;
        _allMethods = config.PerMethodStatSpecifierCase == Config.PerMethodStatSpecifierOneofCase.StatsForAllMethods
            && config.StatsForAllMethods == true;
        foreach (var service in config.IndividualMethodStatsAllowlist?.Services ?? default)
        {
            foreach (var method in service.MethodNames)
            {
                _allowed.Add($"/{service.Name}/{method}");
            }
        }
    }

    public bool EmitFilterState { get; }

    public bool UpstreamTimes { get; }

    /// <summary>The counters of a request to `/service/method`.</summary>
    public GrpcMethodStats For(ICluster cluster, ReadOnlySpan<byte> path)
    {
        var prefix = PrefixOf(Encoding.Latin1.GetString(HeaderUtility.PathWithoutQuery(path)));
        var known = _stats.GetValue(cluster, static _ => new Dictionary<string, GrpcMethodStats>(StringComparer.Ordinal));
        lock (known)
        {
            if (!known.TryGetValue(prefix, out var stats))
            {
                known[prefix] = stats = new GrpcMethodStats(cluster.Stats, prefix);
            }
            return stats;
        }
    }

    private string PrefixOf(string path)
    {
        var parts = path.Split('/');
        if (parts.Length != 3 || parts[0].Length > 0 || parts[1].Length == 0 || parts[2].Length == 0
            || !(_allMethods || _allowed.Contains(path)))
        {
            return "grpc.";
        }
        var service = _replaceDots ? parts[1].Replace('.', '_') : parts[1];
        return $"grpc.{service}.{parts[2]}.";
    }
}
