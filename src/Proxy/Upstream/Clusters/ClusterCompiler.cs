using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Upstream.DynamicForwardProxy;
using MeshProxy.Xds.Protobuf;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>Makes the cluster a message describes, by its type.</summary>
internal static class ClusterCompiler
{
    /// <exception cref="ConfigurationException">The message is refused.</exception>
    public static ClusterBase Compile(Cluster definition, ClusterManager manager, ClusterEnvironment environment)
    {
        ClusterBase? cluster = null;
        try
        {
            CheckFields(definition);
            cluster = Create(definition, manager, environment);
            cluster.Compile();
            return cluster;
        }
        catch (ProtobufException wrong)
        {
            cluster?.Dispose();
            throw new ConfigurationException($"Cluster {definition.Name}: {wrong.Message}", wrong);
        }
        catch (ConfigurationException)
        {
            cluster?.Dispose();
            throw;
        }
    }

    private static ClusterBase Create(Cluster definition, ClusterManager manager, ClusterEnvironment environment)
    {
        if (definition.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType)
        {
            return CreateCustom(definition, manager, environment);
        }
        return definition.Type switch
        {
            Cluster.DiscoveryType.StrictDns => CreateDns(definition, DnsOptions.FromCluster(definition, logical: false), environment),
            Cluster.DiscoveryType.LogicalDns => CreateDns(definition, DnsOptions.FromCluster(definition, logical: true), environment),
            Cluster.DiscoveryType.OriginalDst => new OriginalDstCluster(definition, environment),
            Cluster.DiscoveryType.Eds => new EdsCluster(definition, environment),
            Cluster.DiscoveryType.Static => new StaticCluster(definition, environment),
            _ => throw new ConfigurationException($"Cluster {definition.Name}: type {definition.Type} is unknown."),
        };
    }

    private static ClusterBase CreateCustom(Cluster definition, ClusterManager manager, ClusterEnvironment environment)
    {
        var type = definition.ClusterType!.Value;
        return type.Name switch
        {
            UpstreamHttpOptionsCompiler.DynamicForwardProxyType => new DynamicForwardProxyCluster(
                definition, Config<Envoy.Extensions.Clusters.DynamicForwardProxy.V3.ClusterConfig>(type, definition), environment),
            "envoy.clusters.aggregate" => new AggregateCluster(
                definition, Config<Envoy.Extensions.Clusters.Aggregate.V3.ClusterConfig>(type, definition), manager, environment),
            "envoy.cluster.dns" or "envoy.clusters.dns" => CreateDns(
                definition, DnsOptions.FromExtension(Config<Envoy.Extensions.Clusters.Dns.V3.DnsCluster>(type, definition)), environment),
            "envoy.cluster.strict_dns" => CreateDns(definition, DnsOptions.FromCluster(definition, logical: false), environment),
            "envoy.cluster.logical_dns" => CreateDns(definition, DnsOptions.FromCluster(definition, logical: true), environment),
            "envoy.cluster.original_dst" or "envoy.clusters.original_dst" => new OriginalDstCluster(definition, environment),
            "envoy.cluster.eds" => new EdsCluster(definition, environment),
            "envoy.cluster.static" => new StaticCluster(definition, environment),
            _ => throw new ConfigurationException(
                $"Didn't find a registered cluster factory implementation for name: '{type.Name}' (cluster {definition.Name})."),
        };
    }

    private static ClusterBase CreateDns(Cluster definition, DnsOptions options, ClusterEnvironment environment) => options.Logical
        ? new LogicalDnsCluster(definition, options, environment)
        : new StrictDnsCluster(definition, options, environment);

    private static T Config<T>(Cluster.CustomClusterType type, Cluster definition)
        where T : struct, IMessage<T> =>
        type.TypedConfig?.Unpack<T>()
        ?? throw new ConfigurationException($"Cluster {definition.Name}: cluster_type {type.Name} needs a typed_config.");

    private static void CheckFields(Cluster definition)
    {
        if (definition.EdsClusterConfigValue is not null && definition.Type != Cluster.DiscoveryType.Eds
            && definition.ClusterDiscoveryTypeCase != Cluster.ClusterDiscoveryTypeOneofCase.ClusterType)
        {
            throw new ConfigurationException($"eds_cluster_config set in a non-EDS cluster: {definition.Name}");
        }
        // What would change how connections are secured or shared is not to be passed over in silence.
        if (definition.TransportSocketMatcher is not null)
        {
            throw new ConfigurationException(
                $"Cluster {definition.Name}: transport_socket_matcher is not supported; use transport_socket_matches.");
        }
        if (definition.QueuingPoliciesValue is not null)
        {
            throw new ConfigurationException($"Cluster {definition.Name}: queuing_policies are not supported; requests wait in order.");
        }
    }
}
