using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network;

/// <summary>Derives what an upstream connection must do differently from filter state and the downstream connection (Envoy's TransportSocketOptionsUtility::fromFilterState).</summary>
public static class UpstreamTransportOptions
{
    /// <summary>Null when there is nothing to override, so that connections are shared freely.</summary>
    public static TransportSocketOptions? From(FilterState state, Connection downstream)
    {
        var serverName = state.Get("envoy.network.upstream_server_name")?.SerializeAsString();
        var alpn = Split(state.Get("envoy.network.application_protocols")?.SerializeAsString());
        var sans = Split(state.Get("envoy.network.upstream_subject_alt_names")?.SerializeAsString());
        var proxyProtocol = (state.Get("envoy.network.proxy_protocol_options") as ProxyProtocolFilterState)?.Data;
        List<KeyValuePair<string, object>>? shared = null;
        foreach (var (key, value) in state.SharedWithUpstream())
        {
            (shared ??= []).Add(new(key, value));
        }
        if (serverName is null && alpn.Length == 0 && sans.Length == 0 && proxyProtocol is null && shared is null)
        {
            return null;
        }
        return new TransportSocketOptions
        {
            ServerNameOverride = serverName,
            ApplicationProtocolListOverride = alpn,
            VerifySubjectAltNamesOverride = sans,
            ProxyProtocol = proxyProtocol,
            SharedFilterState = shared is null ? [] : shared,
        };
    }

    private static string[] Split(string? list) => list is null ? [] : list.Split(',', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Addresses and TLVs for a PROXY protocol header upstream, as the proxy_protocol listener filter read them.</summary>
public sealed record ProxyProtocolFilterState(ProxyProtocolData Data) : IFilterStateObject
{
    public string? SerializeAsString() => null;
}
