using static MeshProxy.Proxy.Configuration.UnsupportedEffect;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>
/// Filters of Envoy and Istio that are recognised and not built. Refusing one would freeze the configuration of a whole type,
/// so it is accepted: without effect where it only watches or shapes traffic, refusing traffic where it may protect (code of
/// the user's is taken to protect). A filter that is built later leaves this table.
/// </summary>
internal static class UnbuiltExtensions
{
    private const string HttpPrefix = "envoy.extensions.filters.http.";
    private const string NetworkPrefix = "envoy.extensions.filters.network.";

    private static readonly UnbuiltHttpFilter[] HttpFilters =
    [
        new(HttpPrefix + "admission_control.v3.AdmissionControl", Ignored),
        new(HttpPrefix + "adaptive_concurrency.v3.AdaptiveConcurrency", Ignored),
        new(HttpPrefix + "bandwidth_limit.v3.BandwidthLimit", Ignored),
        new(HttpPrefix + "on_demand.v3.OnDemand", Ignored, HttpPrefix + "on_demand.v3.PerRouteConfig"),
        new(HttpPrefix + "tap.v3.Tap", Ignored),
        new(HttpPrefix + "dynamic_modules.v3.DynamicModuleFilter", Refuses),
        new(HttpPrefix + "ext_proc.v3.ExternalProcessor", Refuses, HttpPrefix + "ext_proc.v3.ExtProcPerRoute"),
        new(HttpPrefix + "lua.v3.Lua", Refuses, HttpPrefix + "lua.v3.LuaPerRoute"),
        new(HttpPrefix + "oauth2.v3.OAuth2", Refuses),
        new(HttpPrefix + "wasm.v3.Wasm", Refuses),
    ];

    private static readonly UnbuiltNetworkFilter[] NetworkFilters =
    [
        new(NetworkPrefix + "mongo_proxy.v3.MongoProxy", Ignored),
        new(NetworkPrefix + "zookeeper_proxy.v3.ZooKeeperProxy", Ignored),
        new(NetworkPrefix + "dynamic_modules.v3.DynamicModuleNetworkFilter", Refuses),
        new(NetworkPrefix + "sni_dynamic_forward_proxy.v3.FilterConfig", Refuses),
        new(NetworkPrefix + "wasm.v3.Wasm", Refuses),
    ];

    internal static IReadOnlyList<UnbuiltHttpFilter> Http => HttpFilters;

    internal static IReadOnlyList<UnbuiltNetworkFilter> Network => NetworkFilters;

    private static readonly string[] Tracers =
    [
        "envoy.config.trace.v3.DatadogConfig",
        "envoy.config.trace.v3.DynamicOtConfig",
        "envoy.config.trace.v3.SkyWalkingConfig",
        "envoy.config.trace.v3.XRayConfig",
        "envoy.extensions.tracers.dynamic_modules.v3.DynamicModuleTracer",
        "envoy.extensions.tracers.fluentd.v3.FluentdConfig",
    ];

    /// <summary>Tracers that are not built: nothing of a request depends on them, so no span leaves.</summary>
    public static bool IsTracer(string configType) => Array.IndexOf(Tracers, configType) >= 0;

    public static IHttpFilterFactory? FindHttp(string? configType) =>
        Array.Find(HttpFilters, filter => filter.ConfigType == configType);

    public static IHttpFilterFactory? FindHttpPerRoute(string configType) =>
        Array.Find(HttpFilters, filter => (filter.PerRouteConfigType ?? filter.ConfigType) == configType);

    public static INetworkFilterFactory? FindNetwork(string? configType) =>
        Array.Find(NetworkFilters, filter => filter.ConfigType == configType);
}
