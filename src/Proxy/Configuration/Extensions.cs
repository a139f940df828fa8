using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Filters.ApiKeyAuth;
using MeshProxy.Proxy.Http.Filters.BasicAuth;
using MeshProxy.Proxy.Http.Filters.Buffer;
using MeshProxy.Proxy.Http.Filters.Compression;
using MeshProxy.Proxy.Http.Filters.Cors;
using MeshProxy.Proxy.Http.Filters.Csrf;
using MeshProxy.Proxy.Http.Filters.ExtAuthz;
using MeshProxy.Proxy.Http.Filters.Fault;
using MeshProxy.Proxy.Http.Filters.GrpcStats;
using MeshProxy.Proxy.Http.Filters.GrpcWeb;
using MeshProxy.Proxy.Http.Filters.HeaderMutation;
using MeshProxy.Proxy.Http.Filters.HeaderToMetadata;
using MeshProxy.Proxy.Http.Filters.HealthCheck;
using MeshProxy.Proxy.Http.Filters.IstioAlpn;
using MeshProxy.Proxy.Http.Filters.IstioStats;
using MeshProxy.Proxy.Http.Filters.JwtAuthn;
using MeshProxy.Proxy.Http.Filters.LocalRateLimit;
using MeshProxy.Proxy.Http.Filters.PeerMetadata;
using MeshProxy.Proxy.Http.Filters.RateLimit;
using MeshProxy.Proxy.Http.Filters.Rbac;
using MeshProxy.Proxy.Http.Filters.SetFilterState;
using MeshProxy.Proxy.Http.Filters.SetMetadata;
using MeshProxy.Proxy.Http.Filters.StatefulSession;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Listeners.Filters;
using MeshProxy.Proxy.Network.ExtAuthz;
using MeshProxy.Proxy.Network.Filters;
using MeshProxy.Proxy.Network.IstioStats;
using MeshProxy.Proxy.Network.MetadataExchange;
using MeshProxy.Proxy.Network.Rbac;
using MeshProxy.Proxy.Network.TcpProxy;

namespace MeshProxy.Proxy.Configuration;

/// <summary>
/// The one table of extensions: a new filter is its own file and one line here. Found by the type of the configuration
/// first, then by the extension's name, as Envoy does.
/// </summary>
public static class Extensions
{
    private static readonly IHttpFilterFactory[] HttpFilters =
    [
        new HttpLocalRateLimitFactory(),
        new FaultFilterFactory(),
        new ApiKeyFilterFactory(),
        new BasicAuthFilterFactory(),
        new CsrfFilterFactory(),
        new CorsFilterFactory(),
        new JwtFilterFactory(),
        new BufferFilterFactory(),
        new CompressorFilterFactory(),
        new DecompressorFilterFactory(),
        new DynamicForwardProxyFilterFactory(),
        new ExtAuthzFilterFactory(),
        new GrpcHttp1BridgeFilterFactory(),
        new GrpcStatsFilterFactory(),
        new GrpcWebFilterFactory(),
        new HeaderMutationFilterFactory(),
        new HeaderToMetadataFilterFactory(),
        new HealthCheckFilterFactory(),
        new IstioAlpnFilterFactory(),
        new IstioStatsFilterFactory(),
        new PeerMetadataFilterFactory(),
        new RateLimitFilterFactory(),
        new RbacFilterFactory(),
        new RouterFilterFactory(),
        new SetFilterStateFilterFactory(),
        new SetMetadataFilterFactory(),
        new StatefulSessionFilterFactory(),
        new UpstreamCodecFilterFactory(),
    ];

    private static readonly INetworkFilterFactory[] NetworkFilters =
    [
        new RbacNetworkFilterFactory(),
        new HttpConnectionManagerFactory(),
        new TcpProxyFactory(),
        new EchoFilterFactory(),
        new DirectResponseFilterFactory(),
        new SniClusterFilterFactory(),
        new ConnectionLimitFilterFactory(),
        new ExtAuthzNetworkFilterFactory(),
        new LocalRateLimitFilterFactory(),
        new RateLimitNetworkFilterFactory(),
        new SetFilterStateNetworkFilterFactory(),
        new MetadataExchangeFilterFactory(),
        new IstioStatsNetworkFilterFactory(),
    ];

    private static readonly IListenerFilterFactory[] ListenerFilters =
    [
        new OriginalDst(),
        new TlsInspectorFactory(),
        new HttpInspectorFactory(),
        new ProxyProtocolFactory(),
        new OriginalSrcFactory(),
        new LocalRateLimitFactory(),
        new SetFilterStateFactory(),
    ];

    public static IHttpFilterFactory? FindHttp(string name, string? configType) =>
        Find(HttpFilters, static f => f.ConfigType, static f => f.Name, name, configType) ?? UnbuiltExtensions.FindHttp(configType);

    public static INetworkFilterFactory? FindNetwork(string name, string? configType) =>
        Find(NetworkFilters, static f => f.ConfigType, static f => f.Name, name, configType) ?? UnbuiltExtensions.FindNetwork(configType);

    public static IListenerFilterFactory? FindListener(string name, string? configType) =>
        Find(ListenerFilters, static f => f.ConfigType, static f => f.Name, name, configType);

    /// <summary>The HTTP filter whose per-route configuration has this type.</summary>
    public static IHttpFilterFactory? FindHttpPerRoute(string configType) =>
        Array.Find(HttpFilters, f => f.PerRouteConfigType == configType || (f.PerRouteConfigType is null && f.ConfigType == configType))
        ?? UnbuiltExtensions.FindHttpPerRoute(configType);

    private static T? Find<T>(T[] table, Func<T, string> type, Func<T, string> named, string name, string? configType)
        where T : class
    {
        foreach (var factory in table)
        {
            if (configType is not null ? type(factory) == configType : named(factory) == name)
            {
                return factory;
            }
        }
        return null;
    }
}
