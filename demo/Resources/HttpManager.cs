namespace MeshProxy.Demo.Resources;

/// <summary>The HTTP connection manager of either direction, with Istio's filters in Istio's order.</summary>
internal static class HttpManager
{
    /// <summary>For requests the application sends: routes come by RDS.</summary>
    public static string Outbound(string listener, string routes) => Filter(
        $$"""
        "stat_prefix": "outbound_{{listener}};",
        "rds": { "config_source": {{Fragments.Ads}}, "route_config_name": "{{routes}}" },
        """,
        [PeerMetadata("upstream"), GrpcStats, Alpn, Fault, Cors, Router]);

    /// <summary>For requests to the application: one route, and the policies that hold for it.</summary>
    public static string Inbound(string host, int port, IEnumerable<string> policies) => Filter(
        $$"""
        "stat_prefix": "inbound_0.0.0.0_{{port}};",
        "route_config": {
          "name": "inbound|{{port}}||",
          "virtual_hosts": [{
            "name": "inbound|http|{{port}}",
            "domains": ["*"],
            "routes": [{
              "name": "default",
              "match": { "prefix": "/" },
              "route": {
                "cluster": "inbound|{{port}}||",
                "timeout": "0s",
                "retry_policy": { "retry_on": "reset-before-request", "num_retries": 2 },
                "max_stream_duration": { "max_stream_duration": "0s", "grpc_timeout_header_max": "0s" }
              },
              "decorator": { "operation": "{{host}}:{{port}}/*" }
            }]
          }],
          "validate_clusters": false
        },
        "server_name": "istio-envoy",
        "forward_client_cert_details": "APPEND_FORWARD",
        "set_current_client_cert_details": { "subject": true, "dns": true, "uri": true },
        """,
        [PeerMetadata("downstream"), .. policies, GrpcStats, Fault, Cors, Router]);

    private static readonly string Fault =
        Fragments.Bare("envoy.filters.http.fault", "envoy.extensions.filters.http.fault.v3.HTTPFault");

    private static readonly string Cors =
        Fragments.Bare("envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3.Cors");

    private static readonly string Router =
        Fragments.Bare("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router");

    private const string GrpcStats = """
        {
          "name": "envoy.filters.http.grpc_stats",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
            "emit_filter_state": true, "stats_for_all_methods": false
          }
        }
        """;

    private const string Alpn = """
        {
          "name": "istio.alpn",
          "typed_config": {
            "@type": "type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
            "alpn_override": [
              { "alpn_override": ["istio-http/1.0", "istio", "http/1.0"] },
              { "upstream_protocol": "HTTP11", "alpn_override": ["istio-http/1.1", "istio", "http/1.1"] },
              { "upstream_protocol": "HTTP2", "alpn_override": ["istio-h2", "istio", "h2"] }
            ]
          }
        }
        """;

    private static string PeerMetadata(string peer) => $$"""
        {
          "name": "istio.metadata_exchange",
          "typed_config": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "type_url": "type.googleapis.com/io.istio.http.peer_metadata.Config",
            "value": {
              "{{peer}}_discovery": [{ "istio_headers": {} }, { "workload_discovery": {} }],
              "{{peer}}_propagation": [{ "istio_headers": {} }]
            }
          }
        }
        """;

    private const string Type =
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

    private static string Filter(string particulars, IEnumerable<string> httpFilters) => $$"""
        {
          "name": "envoy.filters.network.http_connection_manager",
          "typed_config": {
            "@type": "type.googleapis.com/{{Type}}",
            {{particulars}}
            "http_filters": [{{string.Join(",\n", httpFilters)}}],
            "stream_idle_timeout": "0s",
            "use_remote_address": false,
            "proxy_100_continue": true,
            "upgrade_configs": [{ "upgrade_type": "websocket" }],
            "normalize_path": true,
            "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
            "request_id_extension": { "typed_config": {
              "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
              "use_request_id_for_trace_sampling": true
            } }
          }
        }
        """;
}
