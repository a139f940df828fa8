using System.Text.Json.Nodes;

namespace MeshProxy.Demo.Resources;

/// <summary>
/// The parts that resources share, in the shapes istiod sends (compare tests/Istiod/captured/bookinfo). They are JSON
/// texts, because that is how such resources are read and compared everywhere else.
/// </summary>
internal static class Fragments
{
    /// <summary>A discovery source: the stream the resource itself came by.</summary>
    public const string Ads = """{ "ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3" }""";

    /// <summary>Istio's exchange of workload metadata over TCP, in each inbound chain and outbound cluster.</summary>
    public const string MetadataExchange = """
        {
          "name": "istio.metadata_exchange",
          "typed_config": {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            "type_url": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
            "value": { "enable_discovery": true, "protocol": "istio-peer-exchange" }
          }
        }
        """;

    /// <summary>Breakers that never trip: istiod's default.</summary>
    public const string NoLimits = """
        {
          "thresholds": [{
            "max_connections": 4294967295, "max_pending_requests": 4294967295,
            "max_requests": 4294967295, "max_retries": 4294967295
          }]
        }
        """;

    /// <summary>HTTP/2 to the upstream.</summary>
    public const string Http2Upstream = """
        {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} }
          }
        }
        """;

    /// <summary>The certificate of the workload, and what its peers are held against.</summary>
    /// <param name="peers">The match of the peer's subject alternative names.</param>
    /// <param name="alpn">The protocols offered or accepted.</param>
    /// <param name="parameters">TLS parameters beyond the versions, each preceded by a comma.</param>
    public static string CommonTls(string peers, IEnumerable<string> alpn, string parameters = "") => $$"""
        {
          "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"{{parameters}}
          },
          "tls_certificate_sds_secret_configs": [{{Secret("default")}}],
          "combined_validation_context": {
            "default_validation_context": { "match_subject_alt_names": [{{peers}}] },
            "validation_context_sds_secret_config": {{Secret("ROOTCA")}}
          },
          "alpn_protocols": {{Strings(alpn)}}
        }
        """;

    /// <summary>A tcp_proxy filter to a cluster.</summary>
    public static string TcpProxy(string cluster) => $$"""
        {
          "name": "envoy.filters.network.tcp_proxy",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "{{cluster}}",
            "cluster": "{{cluster}}"
          }
        }
        """;

    /// <summary>An HTTP or listener filter whose configuration is its type alone.</summary>
    public static string Bare(string name, string type) =>
        $$"""{ "name": "{{name}}", "typed_config": { "@type": "type.googleapis.com/{{type}}" } }""";

    /// <summary>The address of a socket.</summary>
    public static string Address(string address, int port) =>
        $$"""{ "socket_address": { "address": "{{address}}", "port_value": {{port}} } }""";

    /// <summary>A JSON list of texts.</summary>
    public static string Strings(IEnumerable<string> values) =>
        $"[{string.Join(", ", values.Select(v => $"\"{v}\""))}]";

    /// <summary>Resources as one discovery response, indented.</summary>
    public static string Response(IEnumerable<string> resources) =>
        JsonNode.Parse($$"""{ "resources": [{{string.Join(",\n", resources)}}] }""")!.ToJsonString(Indented);

    /// <summary>A JSON text, checked and indented.</summary>
    public static string Pretty(string json) => JsonNode.Parse(json)!.ToJsonString(Indented);

    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static string Secret(string name) => $$"""
        {
          "name": "{{name}}",
          "sds_config": {
            "api_config_source": {
              "api_type": "GRPC",
              "transport_api_version": "V3",
              "grpc_services": [{ "envoy_grpc": { "cluster_name": "sds-grpc" } }],
              "set_node_on_first_message_only": true
            },
            "initial_fetch_timeout": "0s",
            "resource_api_version": "V3"
          }
        }
        """;
}
