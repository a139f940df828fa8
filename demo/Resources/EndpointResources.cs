using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>The endpoints of each outbound cluster.</summary>
internal static class EndpointResources
{
    /// <summary>All of them, as one discovery response.</summary>
    public static string Build(MeshDescription mesh) =>
        Fragments.Response(mesh.Services.SelectMany(service => Assignments(mesh, service)));

    private static IEnumerable<string> Assignments(MeshDescription mesh, Service service)
    {
        var workloads = mesh.Workloads.Where(w => w.Service == service).ToList();
        yield return Assignment(service.ClusterName(), service, workloads);
        if (!mesh.Splits.ContainsKey(service.Name)) yield break;
        foreach (var version in mesh.Versions(service))
            yield return Assignment(service.ClusterName(version), service, workloads.Where(w => w.Version == version));
    }

    private static string Assignment(string cluster, Service service, IEnumerable<Workload> workloads) => $$"""
        {
          "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
          "cluster_name": "{{cluster}}",
          "endpoints": [{
            "locality": {},
            "lb_endpoints": [{{string.Join(", ", workloads.Select(w => Endpoint(w, service)))}}]
          }]
        }
        """;

    // Workload, namespace, canonical service and revision, cluster: where a client takes destination labels from.
    private static string Labels(Workload workload, Service service) =>
        $"{workload.Name};{MeshDescription.Namespace};{service.Name};{workload.Version};Kubernetes";

    private static string Endpoint(Workload workload, Service service) => $$"""
        {
          "endpoint": { "address": {{Fragments.Address(workload.Address, service.Port)}} },
          "metadata": { "filter_metadata": {
            {{(workload.HasSidecar ? "\"envoy.transport_socket_match\": { \"tlsMode\": \"istio\" }," : "")}}
            "istio": { "workload": "{{Labels(workload, service)}}" }
          } },
          "load_balancing_weight": 1
        }
        """;
}
