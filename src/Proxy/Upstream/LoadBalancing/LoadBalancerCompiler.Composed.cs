using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using ClusterProvidedPolicy = Envoy.Extensions.LoadBalancingPolicies.ClusterProvided.V3.ClusterProvided;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

// Policies around other policies.
internal sealed partial class LoadBalancerCompiler
{
    private ILoadBalancerFactory? FromComposedExtension(Any config, ILoadBalancerFactory? provided) =>
        config.Is<ClusterProvidedPolicy>() ? ClusterProvided(provided) : null;

    private ILoadBalancerFactory LegacySubset(Envoy.Config.Cluster.V3.Cluster.LbSubsetConfig config, ILoadBalancerFactory policy) =>
        throw new ConfigurationException($"lb_subset_config of cluster {cluster.Name} is not supported.");
}
