using static MeshProxy.Proxy.Configuration.UnsupportedEffect;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>
/// Filters of Envoy and Istio that are recognised and not built. Refusing one would freeze the configuration of a whole type,
/// so it is accepted: without effect where it only watches or shapes traffic, refusing traffic where it may protect (code of
/// the user's is taken to protect). A filter that is built later leaves this table.
/// </summary>
internal static class UnbuiltExtensions
{
    private const string Http = "envoy.extensions.filters.http.";
    private const string Network = "envoy.extensions.filters.network.";

    private static readonly UnbuiltHttpFilter[] HttpFilters =
    [
        new(Http + "admission_control.v3.AdmissionControl", Ignored),
        new(Http + "adaptive_concurrency.v3.AdaptiveConcurrency", Ignored),
        new(Http + "bandwidth_limit.v3.BandwidthLimit", Ignored),
        new(Http + "cors.v3.Cors", Ignored, Http + "cors.v3.CorsPolicy"),
        new(Http + "fault.v3.HTTPFault", Ignored),
        new(Http + "local_ratelimit.v3.LocalRateLimit", Ignored),
        new(Http + "on_demand.v3.OnDemand", Ignored, Http + "on_demand.v3.PerRouteConfig"),
        new(Http + "ratelimit.v3.RateLimit", Ignored, Http + "ratelimit.v3.RateLimitPerRoute"),
        new(Http + "tap.v3.Tap", Ignored),
        new("io.istio.http.peer_metadata.Config", Ignored),
        new("istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig", Ignored),
        new("stats.PluginConfig", Ignored),
        new(Http + "api_key_auth.v3.ApiKeyAuth", Refuses, Http + "api_key_auth.v3.ApiKeyAuthPerRoute"),
        new(Http + "basic_auth.v3.BasicAuth", Refuses, Http + "basic_auth.v3.BasicAuthPerRoute"),
        new(Http + "csrf.v3.CsrfPolicy", Refuses),
        new(Http + "dynamic_modules.v3.DynamicModuleFilter", Refuses),
        new(Http + "ext_authz.v3.ExtAuthz", Refuses, Http + "ext_authz.v3.ExtAuthzPerRoute"),
        new(Http + "ext_proc.v3.ExternalProcessor", Refuses, Http + "ext_proc.v3.ExtProcPerRoute"),
        new(Http + "jwt_authn.v3.JwtAuthentication", Refuses, Http + "jwt_authn.v3.PerRouteConfig"),
        new(Http + "lua.v3.Lua", Refuses, Http + "lua.v3.LuaPerRoute"),
        new(Http + "oauth2.v3.OAuth2", Refuses),
        new(Http + "wasm.v3.Wasm", Refuses),
    ];

    private static readonly UnbuiltNetworkFilter[] NetworkFilters =
    [
        new(Network + "mongo_proxy.v3.MongoProxy", Ignored),
        new(Network + "ratelimit.v3.RateLimit", Ignored),
        new(Network + "zookeeper_proxy.v3.ZooKeeperProxy", Ignored),
        new("envoy.tcp.metadataexchange.config.MetadataExchange", Ignored),
        new("stats.PluginConfig", Ignored),
        new(Network + "dynamic_modules.v3.DynamicModuleNetworkFilter", Refuses),
        new(Network + "ext_authz.v3.ExtAuthz", Refuses),
        new(Network + "sni_dynamic_forward_proxy.v3.FilterConfig", Refuses),
        new(Network + "wasm.v3.Wasm", Refuses),
    ];

    public static IHttpFilterFactory? FindHttp(string? configType) =>
        Array.Find(HttpFilters, filter => filter.ConfigType == configType);

    public static IHttpFilterFactory? FindHttpPerRoute(string configType) =>
        Array.Find(HttpFilters, filter => (filter.PerRouteConfigType ?? filter.ConfigType) == configType);

    public static INetworkFilterFactory? FindNetwork(string? configType) =>
        Array.Find(NetworkFilters, filter => filter.ConfigType == configType);
}
