using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.HealthCheck.V3.HealthCheck;

namespace MeshProxy.Proxy.Http.Filters.HealthCheck;

/// <summary>envoy.filters.http.health_check.</summary>
internal sealed class HealthCheckFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.health_check";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var passThrough = config.PassThroughMode ?? false;
        if (!passThrough && config.CacheTime > TimeSpan.Zero)
        {
            throw new ConfigurationException("health_check.cache_time: cache_time_ms must not be set when path_through_mode is disabled; remove it.");
        }
        if (passThrough && config.ClusterMinHealthyPercentages.Count > 0)
        {
            throw new ConfigurationException("health_check.cluster_min_healthy_percentages: needs pass_through_mode to be false; remove one.");
        }
        var clusters = new (string, double)[config.ClusterMinHealthyPercentages.Count];
        for (var i = 0; i < clusters.Length; i++)
        {
            var (name, percent) = config.ClusterMinHealthyPercentages[i];
            clusters[i] = (name, percent.Value);
        }
        return new HealthCheckSettings
        {
            PassThrough = passThrough,
            CacheTime = config.CacheTime ?? TimeSpan.Zero,
            Headers = HeaderMatcher.CompileAll(config.Headers, "health_check.headers"),
            MinHealthy = clusters,
            Clusters = context.Clusters,
            Server = context.Health,
            NodeCluster = System.Text.Encoding.Latin1.GetBytes(context.Node.Cluster),
        };
    }
}
