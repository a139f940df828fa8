using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network;

/// <summary>
/// Derives what an upstream connection must do differently from filter state (Envoy's
/// TransportSocketOptionsUtility::fromFilterState).
/// </summary>
public static class UpstreamTransportOptions
{
    /// <summary>Null when there is nothing to override, so that connections are shared freely.</summary>
    public static TransportSocketOptions? From(FilterState state)
    {
        var serverName = state.Get(FilterStateKeys.UpstreamServerName)?.SerializeAsString();
        var alpn = Split(state.Get(FilterStateKeys.ApplicationProtocols)?.SerializeAsString());
        var sans = Split(state.Get(FilterStateKeys.UpstreamSubjectAltNames)?.SerializeAsString());
        var proxyProtocol = (state.Get(FilterStateKeys.ProxyProtocolOptions) as ProxyProtocolFilterState)?.Data;
        List<SharedFilterStateObject>? shared = null;
        if (state.AnyShared)
        {
            foreach (var value in state.SharedWithUpstream())
            {
                (shared ??= []).Add(value);
            }
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
