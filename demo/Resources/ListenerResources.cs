using MeshProxy.Demo.Mesh;

namespace MeshProxy.Demo.Resources;

/// <summary>The listeners of one sidecar: those that own a port, and those that connections are handed to.</summary>
internal static class ListenerResources
{
    /// <summary>All of them, as one discovery response.</summary>
    public static string Build(MeshDescription mesh, Workload workload)
    {
        var listeners = new List<string>();
        if (mesh.Capture == TrafficCapture.Redirect) listeners.Add(VirtualOutbound);
        listeners.AddRange(mesh.Services.Where(s => !s.IsHttp).Select(s => TcpOutbound(mesh, workload, s)));
        listeners.AddRange(
            mesh.Services.Where(s => s.IsHttp).DistinctBy(s => s.Port).Select(s => HttpOutbound(mesh, workload, s)));
        if (mesh.Capture == TrafficCapture.Redirect || workload.Service is not null)
            listeners.Add(InboundListener.Build(mesh, workload));
        return Fragments.Response(listeners);
    }

    private static readonly string VirtualOutbound = $$"""
        {
          "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
          "name": "virtualOutbound",
          "address": {{Fragments.Address("0.0.0.0", 15001)}},
          "filter_chains": [
            {
              "name": "virtualOutbound-blackhole",
              "filter_chain_match": { "destination_port": 15001 },
              "filters": [{{Fragments.TcpProxy("BlackHoleCluster")}}]
            },
            { "name": "virtualOutbound-catchall-tcp", "filters": [{{Fragments.TcpProxy("PassthroughCluster")}}] }
          ],
          "use_original_dst": true,
          "traffic_direction": "OUTBOUND",
          "max_connections_to_accept_per_socket_event": 1
        }
        """;

    private static string HttpOutbound(MeshDescription mesh, Workload workload, Service service)
    {
        var (address, port) = mesh.Capture == TrafficCapture.Redirect
            ? ("0.0.0.0", service.Port)
            : mesh.Destination(workload, service);
        var name = $"{address}_{port}";
        return $$"""
            {
              "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
              "name": "{{name}}",
              "address": {{Fragments.Address(address, port)}},
              "filter_chains": [{
                "filter_chain_match": {
                  "transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]
                },
                "filters": [{{HttpManager.Outbound(name, service.Port.ToString())}}],
                "transport_socket_connect_timeout": "15s"
              }],
              "default_filter_chain": {
                "filter_chain_match": {},
                "filters": [{{Fragments.TcpProxy("PassthroughCluster")}}],
                "name": "PassthroughFilterChain"
              },
              "listener_filters": [{{Fragments.Bare("envoy.filters.listener.http_inspector",
                  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector")}}],
              {{Tail(mesh)}}
            }
            """;
    }

    private static string TcpOutbound(MeshDescription mesh, Workload workload, Service service)
    {
        var (address, port) = mesh.Destination(workload, service);
        return $$"""
            {
              "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
              "name": "{{address}}_{{port}}",
              "address": {{Fragments.Address(address, port)}},
              "filter_chains": [{
                "filters": [{{Fragments.TcpProxy(service.ClusterName())}}],
                "transport_socket_connect_timeout": "15s"
              }],
              {{Tail(mesh)}}
            }
            """;
    }

    private static string Tail(MeshDescription mesh) => $$"""
        "listener_filters_timeout": "0s",
        "continue_on_listener_filters_timeout": true,
        "traffic_direction": "OUTBOUND",
        "bind_to_port": {{(mesh.Capture == TrafficCapture.Redirect ? "false" : "true")}}
        """;
}
