namespace MeshProxy.Proxy.Network.FilterStates;

/// <summary>Well-known names of filter state that the proxy itself heeds (Envoy's "well known filter state").</summary>
public static class FilterStateKeys
{
    public const string TcpProxyCluster = "envoy.tcp_proxy.cluster";
    public const string TcpProxyIdleTimeout = "envoy.tcp_proxy.per_connection_idle_timeout_ms";
    public const string TcpProxyDisableTunneling = "envoy.tcp_proxy.disable_tunneling";
    public const string TcpProxyReceiveBeforeConnect = "envoy.tcp_proxy.receive_before_connect";
    public const string UpstreamServerName = "envoy.network.upstream_server_name";
    public const string ApplicationProtocols = "envoy.network.application_protocols";
    public const string UpstreamSubjectAltNames = "envoy.network.upstream_subject_alt_names";
    public const string ProxyProtocolOptions = "envoy.network.proxy_protocol_options";
    public const string OriginalDestinationAddress = "envoy.network.transport_socket.original_dst_address";
    public const string OriginalDstLocal = "envoy.filters.listener.original_dst.local_ip";
    public const string OriginalDstRemote = "envoy.filters.listener.original_dst.remote_ip";
}
