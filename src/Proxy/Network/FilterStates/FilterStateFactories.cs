using System.Globalization;
using System.Net;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Network.FilterStates;

/// <summary>
/// Makes filter state out of text, by the name of the object or of a generic kind (Envoy's StreamInfo::FilterState::ObjectFactory).
/// </summary>
internal static class FilterStateFactories
{
    private static readonly Dictionary<string, Func<string, IFilterStateObject?>> Factories = new(StringComparer.Ordinal)
    {
        ["envoy.string"] = static text => new StringFilterState(text),
        ["envoy.hashable_string"] = static text => new HashableStringFilterState(text),
        ["istio.hashable_string"] = static text => new HashableStringFilterState(text),
        ["envoy.network.ip"] = static text => IPAddress.TryParse(text, out _) ? new StringFilterState(text) : null,
        ["envoy.network.network_namespace"] = static text => new StringFilterState(text),
        [FilterStateKeys.TcpProxyCluster] = static text => new StringFilterState(text),
        [FilterStateKeys.TcpProxyIdleTimeout] = Unsigned,
        [FilterStateKeys.TcpProxyDisableTunneling] = Boolean,
        [FilterStateKeys.TcpProxyReceiveBeforeConnect] = Boolean,
        [FilterStateKeys.UpstreamServerName] = static text => new StringFilterState(text),
        [FilterStateKeys.ApplicationProtocols] = static text => new StringFilterState(text),
        [FilterStateKeys.UpstreamSubjectAltNames] = static text => new StringFilterState(text),
        [FilterStateKeys.OriginalDestinationAddress] = Address,
        [FilterStateKeys.OriginalDstLocal] = Address,
        [FilterStateKeys.OriginalDstRemote] = Address,
        ["envoy.upstream.dynamic_host"] = static text => new StringFilterState(text),
        ["envoy.upstream.dynamic_port"] = Unsigned,
        ["envoy.ratelimit.hits_addend"] = Unsigned,
        ["envoy.tls.cert_validator.spiffe"] = static text => new StringFilterState(text),
        ["envoy.stateful_session.override_host"] = static text => new StringFilterState(text),
        ["io.istio.peer_principal"] = static text => new StringFilterState(text),
        ["io.istio.local_principal"] = static text => new StringFilterState(text),
        ["filter_state.peer"] = static text => new StringFilterState(text),
        ["wasm.upstream_peer"] = static text => new StringFilterState(text),
        ["wasm.downstream_peer"] = static text => new StringFilterState(text),
    };

    /// <summary>Null when nothing of that name can be made.</summary>
    public static Func<string, IFilterStateObject?>? Find(string name) => Factories.GetValueOrDefault(name);

    private static StringFilterState? Unsigned(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? new StringFilterState(text) : null;

    private static StringFilterState? Boolean(string text) => text is "true" or "false" ? new StringFilterState(text) : null;

    private static StringFilterState? Address(string text) =>
        IPEndPoint.TryParse(text, out _) && text.Contains(':') ? new StringFilterState(text) : null;
}
