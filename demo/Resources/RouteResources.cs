using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>The outbound routes: a route configuration per HTTP port.</summary>
internal static class RouteResources
{
    /// <summary>All of them, as one discovery response.</summary>
    public static string Build(MeshDescription mesh) => Fragments.Response(
        mesh.Services.Where(s => s.IsHttp).GroupBy(s => s.Port).Select(group => $$"""
            {
              "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
              "name": "{{group.Key}}",
              "virtual_hosts": [
                {{string.Join(",\n", group.Select(service => VirtualHost(mesh, service)))}},
                {
                  "name": "allow_any",
                  "domains": ["*"],
                  "routes": [{
                    "name": "allow_any",
                    "match": { "prefix": "/" },
                    "route": { "cluster": "PassthroughCluster", "timeout": "0s", "max_grpc_timeout": "0s" }
                  }],
                  "include_request_attempt_count": true
                }
              ],
              "validate_clusters": false,
              "max_direct_response_body_size_bytes": 1048576,
              "ignore_port_in_host_matching": true
            }
            """));

    // Istio's default conditions, and two that a VirtualService adds for a service whose requests may be repeated: a
    // request that was on its way to a backend when it died, and the answer of a sidecar whose application is gone.
    private const string RetryOn =
        "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,reset,gateway-error";

    private static string VirtualHost(MeshDescription mesh, Service service) => $$"""
        {
          "name": "{{service.Host}}:{{service.Port}}",
          "domains": {{Fragments.Strings(Domains(service))}},
          "routes": [{
            "name": "default",
            "match": { "prefix": "/" },
            "route": {
              {{Target(mesh, service)}},
              "timeout": "0s",
              "retry_policy": {
                "retry_on": "{{RetryOn}}",
                "num_retries": 2,
                "retry_host_predicate": [{{Fragments.Bare("envoy.retry_host_predicates.previous_hosts",
                    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")}}],
                "host_selection_retry_max_attempts": "5"
              },
              "max_grpc_timeout": "0s"
            },
            "decorator": { "operation": "{{service.Host}}:{{service.Port}}/*" }
          }],
          "include_request_attempt_count": true
        }
        """;

    private static IEnumerable<string> Domains(Service service) =>
    [
        service.Host, service.Host + ".", service.Name, $"{service.Name}.{MeshDescription.Namespace}",
        service.VirtualAddress,
    ];

    private static string Target(MeshDescription mesh, Service service)
    {
        if (!mesh.Splits.TryGetValue(service.Name, out var weights)) return $"\"cluster\": \"{service.ClusterName()}\"";
        var clusters = weights.Select(
            w => $$"""{ "name": "{{service.ClusterName(w.Key)}}", "weight": {{w.Value}} }""");
        return $$"""
            "weighted_clusters": { "clusters": [{{string.Join(", ", clusters)}}] }
            """;
    }
}
