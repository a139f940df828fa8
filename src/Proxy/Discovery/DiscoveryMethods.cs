using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using Runtime = Envoy.Service.Runtime.V3.Runtime;

namespace MeshProxy.Proxy.Discovery;

/// <summary>The gRPC methods by which resources are followed.</summary>
internal static class DiscoveryMethods
{
    private const string Aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";

    private static readonly Dictionary<string, (string Service, string Resources)> Services = new(StringComparer.Ordinal)
    {
        [Cluster.Descriptor.TypeUrl] = ("cluster.v3.ClusterDiscoveryService", "Clusters"),
        [ClusterLoadAssignment.Descriptor.TypeUrl] = ("endpoint.v3.EndpointDiscoveryService", "Endpoints"),
        [Listener.Descriptor.TypeUrl] = ("listener.v3.ListenerDiscoveryService", "Listeners"),
        [RouteConfiguration.Descriptor.TypeUrl] = ("route.v3.RouteDiscoveryService", "Routes"),
        [ScopedRouteConfiguration.Descriptor.TypeUrl] = ("route.v3.ScopedRoutesDiscoveryService", "ScopedRoutes"),
        [VirtualHost.Descriptor.TypeUrl] = ("route.v3.VirtualHostDiscoveryService", "VirtualHosts"),
        [Secret.Descriptor.TypeUrl] = ("secret.v3.SecretDiscoveryService", "Secrets"),
        [TypedExtensionConfig.Descriptor.TypeUrl] = ("extension.v3.ExtensionConfigDiscoveryService", "ExtensionConfigs"),
        [Runtime.Descriptor.TypeUrl] = ("runtime.v3.RuntimeDiscoveryService", "Runtime"),
    };

    public static string ForAggregated(bool isDelta) => Aggregated + (isDelta ? "DeltaAggregatedResources" : "StreamAggregatedResources");

    /// <exception cref="ConfigurationException">The type has no service of its own.</exception>
    public static string For(string typeUrl, bool isDelta) => Services.TryGetValue(typeUrl, out var service)
        ? $"/envoy.service.{service.Service}/{(isDelta ? "Delta" : "Stream")}{service.Resources}"
        : throw new ConfigurationException($"Resources of type {typeUrl} have no discovery service of their own; follow them over ads.");
}
