using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;
using Metadata = Envoy.Config.Core.V3.Metadata;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>
/// Which metadata is told to the service. Dynamic metadata has no typed form in this proxy, so that nothing is ever found
/// under typed_metadata_context_namespaces; a route's has.
/// </summary>
internal sealed record MetadataContexts(string[] Dynamic, string[] OfRoute, string[] TypedOfRoute)
{
    public static MetadataContexts Of(Config config) => new(
        [.. config.MetadataContextNamespaces], [.. config.RouteMetadataContextNamespaces],
        [.. config.RouteTypedMetadataContextNamespaces]);

    /// <summary>What the request has counts before what its connection has.</summary>
    public Metadata? OfRequest(StreamInfo info)
    {
        if (Dynamic.Length == 0)
        {
            return null;
        }
        var message = Metadata.New();
        foreach (var name in Dynamic)
        {
            if ((info.DynamicMetadata.Get(name) ?? info.ConnectionStreamInfo?.DynamicMetadata.Get(name)) is { } fields)
            {
                message.FilterMetadata.Set(name, MetadataConversion.ToMessage(fields));
            }
        }
        return message;
    }

    public Metadata? OfRouteTaken(Route? route)
    {
        if (route is null || (OfRoute.Length == 0 && TypedOfRoute.Length == 0))
        {
            return null;
        }
        var message = Metadata.New();
        foreach (var name in OfRoute)
        {
            if (route.Metadata.Get(name) is { } fields)
            {
                message.FilterMetadata.Set(name, MetadataConversion.ToMessage(fields));
            }
        }
        foreach (var name in TypedOfRoute)
        {
            if (route is RouteEntry { Definition.Metadata: { } defined } && defined.TypedFilterMetadata.TryGetValue(name, out var any))
            {
                message.TypedFilterMetadata.Set(name, any);
            }
        }
        return message;
    }
}
