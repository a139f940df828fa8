using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What a filter does that an explanation cannot decide.</summary>
internal static class FilterTexts
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"] = "It asks an external service, which may refuse the request (UAEX).",
        ["envoy.extensions.filters.network.ext_authz.v3.ExtAuthz"] = "It asks an external service, which may refuse the connection (UAEX).",
        ["envoy.extensions.filters.http.ratelimit.v3.RateLimit"] = "It asks a rate limit service, which may refuse the request (RL).",
        ["envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"] = "It refuses what exceeds its token bucket (429, RL).",
        ["envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit"] = "It closes connections that exceed its token bucket.",
        ["envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"] = "It closes connections beyond its limit.",
        ["envoy.extensions.filters.http.fault.v3.HTTPFault"] = "It may delay or abort a share of requests (DI, FI), if the filter or the route says so.",
        ["envoy.extensions.filters.http.wasm.v3.Wasm"] = "It runs a module of its own, which may answer the request.",
        ["envoy.extensions.filters.http.lua.v3.Lua"] = "It runs a script, which may answer or change the request.",
        ["envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"] = "It lets an external service change or answer the request.",
        ["envoy.extensions.filters.http.buffer.v3.Buffer"] = "It waits for the whole body and refuses what is too long (413).",
        ["envoy.extensions.filters.http.health_check.v3.HealthCheck"] = "It answers health checks itself.",
        ["envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig"] = "It resolves the request's host by DNS.",
    };

    public static string Of(Any? config)
    {
        if (config is null)
        {
            return "Its configuration comes by extension discovery.";
        }
        return Known.TryGetValue(config.TypeName, out var text) ? text : "It does not decide where the request goes.";
    }

    /// <summary>The configuration of filters that may refuse, to be read.</summary>
    public static IReadOnlyList<string> Details(Any? config) =>
        config is not null && Known.ContainsKey(config.TypeName) && config.Message is { } message
        && !message.Equals(new Message(message.Type)) ? [MessageTexts.Short(message)] : [];
}
