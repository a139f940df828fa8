namespace MeshProxy.EndToEnd.Alone;

/// <summary>
/// An inbound listener of HTTP in front of a backend: gRPC calls go to its HTTP/2 port, others to its HTTP/1.1 port.
/// </summary>
internal static class TestConfiguration
{
    /// <summary>The clusters, as a list's members.</summary>
    public static string Clusters(Backend backend) =>
        $"{Cluster("http1", backend.Http1Port)}, {Cluster("http2", backend.Http2Port, Http2)}";

    /// <summary>The listener.</summary>
    public static string Listener(int port) => $$"""
        {
          "name": "inbound", "traffic_direction": "INBOUND",
          "address": { "socket_address": { "address": "127.0.0.1", "port_value": {{port}} } },
          "filter_chains": [{ "filters": [{{HttpManager}}] }]
        }
        """;

    /// <summary>A connection manager that routes to the clusters.</summary>
    public const string HttpManager = """
        {
          "name": "envoy.filters.network.http_connection_manager",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "inbound", "codec_type": "AUTO",
            "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
              { "match": { "prefix": "/", "grpc": {} }, "route": { "cluster": "http2", "timeout": "0s" } },
              { "match": { "prefix": "/" }, "route": { "cluster": "http1", "timeout": "0s" } }
            ] }] },
            "http_filters": [{
              "name": "envoy.filters.http.router",
              "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }
            }]
          }
        }
        """;

    /// <summary>What makes a cluster speak HTTP/2, preceded by a comma.</summary>
    public const string Http2 = """
        , "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
          "explicit_http_config": { "http2_protocol_options": {} }
        } }
        """;

    /// <summary>A cluster of one host on the loopback interface.</summary>
    public static string Cluster(string name, int port, string more = "") => $$"""
        {
          "name": "{{name}}", "type": "STATIC", "connect_timeout": "5s",
          "load_assignment": { "cluster_name": "{{name}}", "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "socket_address": { "address": "127.0.0.1", "port_value": {{port}} } }
          } }] }] }{{more}}
        }
        """;
}
