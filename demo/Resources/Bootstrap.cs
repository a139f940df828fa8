using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>The bootstrap of a sidecar: who it is, and where its configuration and certificates come from.</summary>
internal static class Bootstrap
{
    /// <summary>The port of the administration interface, as in an Istio pod.</summary>
    public const int AdminPort = 15000;

    /// <summary>The bootstrap of one workload.</summary>
    /// <param name="workload">The pod.</param>
    /// <param name="adminAddress">Where the administration interface listens.</param>
    /// <param name="controlPlane">Where the control plane serves ADS and SDS without TLS.</param>
    public static string Build(Workload workload, string adminAddress, (string Address, int Port) controlPlane) =>
        Fragments.Pretty($$"""
            {
              "node": {
                "id": "{{workload.NodeId}}",
                "cluster": "{{workload.Service?.Name ?? workload.Name}}.{{MeshDescription.Namespace}}",
                "metadata": {
                  "NAME": "{{workload.Name}}",
                  "NAMESPACE": "{{MeshDescription.Namespace}}",
                  "SERVICE_ACCOUNT": "{{workload.Name}}",
                  "INSTANCE_IPS": "{{workload.Address}}",
                  "CLUSTER_ID": "Kubernetes",
                  "MESH_ID": "cluster.local",
                  "WORKLOAD_NAME": "{{workload.Name}}",
                  "LABELS": {
                    "app": "{{workload.Service?.Name ?? workload.Name}}",
                    "version": "{{workload.Version}}",
                    "security.istio.io/tlsMode": "istio"
                  }
                }
              },
              "admin": { "address": {{Fragments.Address(adminAddress, AdminPort)}} },
              "dynamic_resources": {
                "lds_config": {{Fragments.Ads}},
                "cds_config": {{Fragments.Ads}},
                "ads_config": {
                  "api_type": "DELTA_GRPC",
                  "transport_api_version": "V3",
                  "set_node_on_first_message_only": true,
                  "grpc_services": [{ "envoy_grpc": { "cluster_name": "xds-grpc" } }]
                }
              },
              "static_resources": {
                "clusters": [{{ControlPlane("xds-grpc", controlPlane)}}, {{ControlPlane("sds-grpc", controlPlane)}}]
              }
            }
            """);

    private static string ControlPlane(string name, (string Address, int Port) target) => $$"""
        {
          "name": "{{name}}",
          "type": "STATIC",
          "connect_timeout": "1s",
          "typed_extension_protocol_options": {{Fragments.Http2Upstream}},
          "load_assignment": {
            "cluster_name": "{{name}}",
            "endpoints": [{ "lb_endpoints": [{ "endpoint": {
              "address": {{Fragments.Address(target.Address, target.Port)}}
            } }] }]
          }
        }
        """;
}
