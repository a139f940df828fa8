using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>The types of resources, as far as the server has to tell them apart.</summary>
internal static class ResourceTypes
{
    public static readonly string Cluster = Envoy.Config.Cluster.V3.Cluster.Descriptor.TypeUrl;
    public static readonly string Endpoints = ClusterLoadAssignment.Descriptor.TypeUrl;
    public static readonly string Listener = Envoy.Config.Listener.V3.Listener.Descriptor.TypeUrl;
    public static readonly string Routes = RouteConfiguration.Descriptor.TypeUrl;
    public static readonly string Secret = Envoy.Extensions.TransportSockets.Tls.V3.Secret.Descriptor.TypeUrl;

    // What is referred to goes before what refers to it (xDS protocol, "Eventual consistency considerations").
    private static readonly string[] Order = [Secret, Cluster, Endpoints, Listener, Routes];

    // The services that are of one type, by name, with that type.
    private static readonly Dictionary<string, string> Services = new(StringComparer.Ordinal)
    {
        ["envoy.service.cluster.v3.ClusterDiscoveryService"] = Cluster,
        ["envoy.service.endpoint.v3.EndpointDiscoveryService"] = Endpoints,
        ["envoy.service.listener.v3.ListenerDiscoveryService"] = Listener,
        ["envoy.service.route.v3.RouteDiscoveryService"] = Routes,
        ["envoy.service.secret.v3.SecretDiscoveryService"] = Secret,
    };

    /// <summary>The place of a type in a push; unknown ones come last.</summary>
    public static int Rank(string typeUrl) => Array.IndexOf(Order, typeUrl) is var place and >= 0 ? place : Order.Length;

    /// <summary>Whether the absence of a resource of the type tells the client to drop it, in the state of the world.</summary>
    public static bool IsWhole(string typeUrl) => typeUrl == Cluster || typeUrl == Listener;

    /// <summary>A type's short name, for a person.</summary>
    public static string ShortName(string typeUrl) => typeUrl[(typeUrl.LastIndexOf('.') + 1)..];

    /// <summary>The protocol and the one type of a method of a discovery service.</summary>
    /// <param name="path">The path of the request, such as `/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets`.</param>
    /// <param name="type">The type of the service, or null for the aggregated one.</param>
    /// <param name="isDelta">Whether the method speaks the incremental protocol.</param>
    public static bool TryFindMethod(string path, out string? type, out bool isDelta)
    {
        var parts = path.Split('/');
        (type, isDelta) = (null, false);
        if (parts is not ["", var service, var method])
            return false;
        isDelta = method.StartsWith("Delta", StringComparison.Ordinal);
        return (isDelta || method.StartsWith("Stream", StringComparison.Ordinal))
            && (service == "envoy.service.discovery.v3.AggregatedDiscoveryService" || Services.TryGetValue(service, out type));
    }
}
