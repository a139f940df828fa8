using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>
/// The listener for traffic to the application: virtualInbound behind redirects, otherwise one on the service's port.
/// Its chains are those of the matrix istiod builds from the port's protocol and the mode of mutual TLS.
/// </summary>
internal static class InboundListener
{
    /// <summary>The listener of one workload.</summary>
    public static string Build(MeshDescription mesh, Workload workload)
    {
        var redirect = mesh.Capture == TrafficCapture.Redirect;
        var chains = new List<string>();
        if (redirect) chains.Add(BlackHole);
        if (redirect) chains.AddRange(Chains(mesh, Target.Passthrough));
        if (workload.Service is { } service)
            chains.AddRange(Chains(mesh, new Target(service, mesh.Refusals.GetValueOrDefault(service.Name, []))));

        var (name, address, port) = redirect
            ? ("virtualInbound", "0.0.0.0", 15006)
            : ($"{workload.Address}_{workload.Service!.Port}", workload.Address, workload.Service.Port);
        return $$"""
            {
              "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
              "name": "{{name}}",
              "address": {{Fragments.Address(address, port)}},
              "filter_chains": [{{string.Join(",\n", chains)}}],
              "listener_filters": [{{(redirect ? OriginalDestination + "," : "")}} {{TlsInspector}}],
              "listener_filters_timeout": "0s",
              "continue_on_listener_filters_timeout": true,
              "traffic_direction": "INBOUND",
              "max_connections_to_accept_per_socket_event": 1
            }
            """;
    }

    // What a chain leads to: the port of a service, or, for ports of no service, wherever the connection was going.
    private sealed record Target(Service? Service, IReadOnlyList<Workload> Refused)
    {
        public static readonly Target Passthrough = new(null, []);

        public string Name => Service is null ? "virtualInbound" : $"0.0.0.0_{Service.Port}";

        public string Cluster => Service is null ? "InboundPassthroughCluster" : $"inbound|{Service.Port}||";
    }

    private static readonly string OriginalDestination = Fragments.Bare(
        "envoy.filters.listener.original_dst", "envoy.extensions.filters.listener.original_dst.v3.OriginalDst");

    private const string TlsInspector = """
        {
          "name": "envoy.filters.listener.tls_inspector",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
            "initial_read_buffer_size": 512
          }
        }
        """;

    private static readonly string BlackHole = $$"""
        {
          "name": "virtualInbound-blackhole",
          "filter_chain_match": { "destination_port": 15006 },
          "filters": [{{Fragments.MetadataExchange}}, {{Fragments.TcpProxy("BlackHoleCluster")}}]
        }
        """;

    private static readonly string[] MeshProtocols =
        ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

    private static IEnumerable<string> Chains(MeshDescription mesh, Target target)
    {
        if (mesh.MutualTls == MutualTls.Strict)
        {
            yield return Chain(mesh, target, "\"transport_protocol\": \"tls\"", tls: true);
            yield break;
        }

        yield return Chain(
            mesh, target,
            $"\"transport_protocol\": \"tls\", \"application_protocols\": {Fragments.Strings(MeshProtocols)}",
            tls: true);
        // TLS that is not the mesh's is the application's own, where the port may carry such.
        if (target.Service is not { IsHttp: true })
            yield return Chain(mesh, target, "\"transport_protocol\": \"tls\"", tls: false);
        yield return Chain(mesh, target, "\"transport_protocol\": \"raw_buffer\"", tls: false);
    }

    private static string Chain(MeshDescription mesh, Target target, string match, bool tls)
    {
        var port = mesh.Capture == TrafficCapture.Redirect && target.Service is not null
            ? $"\"destination_port\": {target.Service.Port}, "
            : "";
        return $$"""
            {
              "name": "{{target.Name}}",
              "filter_chain_match": { {{port}}{{match}} },
              "filters": [{{string.Join(", ", Filters(target))}}]
              {{(tls ? ", \"transport_socket\": " + Tls(target) : "")}}
            }
            """;
    }

    private static IEnumerable<string> Filters(Target target)
    {
        yield return Fragments.MetadataExchange;
        if (target.Service is { IsHttp: true } http)
        {
            yield return HttpManager.Inbound(
                http.Host, http.Port,
                target.Refused.Count == 0 ? [] : [Refusal("envoy.filters.http.rbac", "http", target)]);
            yield break;
        }

        if (target.Refused.Count > 0) yield return Refusal("envoy.filters.network.rbac", "network", target);
        yield return Fragments.TcpProxy(target.Cluster);
    }

    private static string Refusal(string filter, string layer, Target target) => $$"""
        {
          "name": "{{filter}}",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.{{layer}}.rbac.v3.RBAC",
            "rules": {
              "action": "DENY",
              "policies": {
                "ns[{{MeshDescription.Namespace}}]-policy[refuse]-rule[0]": {
                  "permissions": [{ "and_rules": { "rules": [{ "any": true }] } }],
                  "principals": [{ "and_ids": { "ids": [{ "or_ids": { "ids": [
                    {{string.Join(", ", target.Refused.Select(Principal))}}
                  ] } }] } }]
                }
              }
            }{{(layer == "network" ? ", \"stat_prefix\": \"tcp.\"" : "")}}
          }
        }
        """;

    private static string Principal(Workload caller) =>
        $$"""{ "authenticated": { "principal_name": { "exact": "{{caller.Identity}}" } } }""";

    private static string Tls(Target target) => $$"""
        {
          "name": "envoy.transport_sockets.tls",
          "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {{Fragments.CommonTls(
                """{ "prefix": "spiffe://cluster.local/" }""",
                target.Service is { IsHttp: true } ? ["h2", "http/1.1"] : ["istio-peer-exchange", "h2", "http/1.1"],
                Ciphers)}},
            "require_client_certificate": true
          }
        }
        """;

    private const string Ciphers = """
        , "cipher_suites": [
          "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
          "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
          "AES256-GCM-SHA384", "AES128-GCM-SHA256"
        ]
        """;
}
