using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>The clusters of one sidecar: each service and its versions, its own port, the world outside.</summary>
internal static class ClusterResources
{
    /// <summary>All of them, as one discovery response.</summary>
    public static string Build(MeshDescription mesh, Workload workload)
    {
        var clusters = new List<string> { BlackHole, Passthrough("PassthroughCluster", bind: "") };
        foreach (var service in mesh.Services)
        {
            clusters.Add(Outbound(mesh, service, version: ""));
            if (mesh.Splits.ContainsKey(service.Name))
                clusters.AddRange(mesh.Versions(service).Select(version => Outbound(mesh, service, version)));
        }

        var redirect = mesh.Capture == TrafficCapture.Redirect;
        if (workload.Service is { } own)
            clusters.Add(redirect ? Inbound(own) : InboundWithoutRedirect(mesh, workload, own));
        if (redirect) clusters.Add(Passthrough("InboundPassthroughCluster", SourceBind));
        return Fragments.Response(clusters);
    }

    private const string BlackHole = """
        {
          "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          "name": "BlackHoleCluster", "type": "STATIC", "connect_timeout": "10s"
        }
        """;

    // The redirect rules let this source through to the application: otherwise the sidecar would call itself.
    private const string SourceBind = """
        , "upstream_bind_config": { "source_address": { "address": "127.0.0.6", "port_value": 0 } }
        """;

    private static string Passthrough(string name, string bind) => $$"""
        {
          "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          "name": "{{name}}",
          "type": "ORIGINAL_DST",
          "lb_policy": "CLUSTER_PROVIDED",
          "connect_timeout": "10s",
          "circuit_breakers": {{Fragments.NoLimits}},
          "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              "common_http_protocol_options": { "idle_timeout": "300s" },
              "use_downstream_protocol_config": { "http_protocol_options": {}, "http2_protocol_options": {} }
            }
          }{{bind}}
        }
        """;

    // Outlier detection as a DestinationRule would ask for it: a backend that died is left alone after three failures
    // instead of costing each request that is sent its way a retry.
    private static string Outbound(MeshDescription mesh, Service service, string version) => $$"""
        {
          "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          "name": "{{service.ClusterName(version)}}",
          "type": "EDS",
          "eds_cluster_config": {
            "eds_config": {{Fragments.Ads}},
            "service_name": "{{service.ClusterName(version)}}"
          },
          "connect_timeout": "10s",
          "lb_policy": "LEAST_REQUEST",
          "circuit_breakers": {{Fragments.NoLimits}},
          "common_lb_config": { "healthy_panic_threshold": {} },
          "outlier_detection": {
            "consecutive_5xx": 3, "interval": "1s", "base_ejection_time": "10s", "max_ejection_percent": 50,
            "enforcing_consecutive_5xx": 100, "enforcing_success_rate": 0
          },
          "transport_socket_matches": [
            {
              "name": "tlsMode-istio",
              "match": { "tlsMode": "istio" },
              "transport_socket": {
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                  "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                  "common_tls_context": {{Fragments.CommonTls(Peers(mesh, service), Alpn(service))}},
                  "sni": "outbound_.{{service.Port}}_.{{(version.Length == 0 ? "_" : version + "_")}}.{{service.Host}}"
                }
              }
            },
            {
              "name": "tlsMode-disabled",
              "match": {},
              "transport_socket": {{Fragments.Bare("envoy.transport_sockets.raw_buffer",
                  "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer")}}
            }
          ],
          "typed_extension_protocol_options": {{HttpOptions(service)}},
          "metadata": { "filter_metadata": { "istio": { "services": [
            { "host": "{{service.Host}}", "name": "{{service.Host}}", "namespace": "{{MeshDescription.Namespace}}" }
          ] } } },
          "filters": [{{Fragments.MetadataExchange}}]
        }
        """;

    private static string Inbound(Service service) => $$"""
        {
          "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          "name": "inbound|{{service.Port}}||",
          "type": "ORIGINAL_DST",
          "lb_policy": "CLUSTER_PROVIDED",
          "connect_timeout": "10s",
          "cleanup_interval": "9223372035s",
          "circuit_breakers": {{Fragments.NoLimits}},
          "typed_extension_protocol_options": {{HttpOptions(service)}}
          {{SourceBind}}
        }
        """;

    private static string InboundWithoutRedirect(MeshDescription mesh, Workload workload, Service service) => $$"""
        {
          "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
          "name": "inbound|{{service.Port}}||",
          "type": "STATIC",
          "connect_timeout": "10s",
          "circuit_breakers": {{Fragments.NoLimits}},
          "typed_extension_protocol_options": {{HttpOptions(service)}},
          "load_assignment": {
            "cluster_name": "inbound|{{service.Port}}||",
            "endpoints": [{ "lb_endpoints": [{ "endpoint": {
              "address": {{Fragments.Address(workload.Address, mesh.ApplicationPort(service))}}
            } }] }]
          }
        }
        """;

    private static string Peers(MeshDescription mesh, Service service) => string.Join(
        ", ", mesh.Workloads.Where(w => w.Service == service).Select(w => $$"""{ "exact": "{{w.Identity}}" }"""));

    private static string HttpOptions(Service service) =>
        service.Protocol == ServiceProtocol.Grpc ? Fragments.Http2Upstream : "{}";

    private static string[] Alpn(Service service) => service.Protocol == ServiceProtocol.Grpc
        ? ["istio-peer-exchange", "istio", "h2"]
        : ["istio-peer-exchange", "istio"];
}
