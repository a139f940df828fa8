using System.Text;

namespace MeshProxy.Bench.Load;

/// <summary>Many clusters: from the bootstrap, and over ADS from a folder served by meshproxy's own control plane.</summary>
internal sealed class ClusterRun(Workshop workshop, Report report)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly int[] Counts = [1_000, 10_000];

    public void Run()
    {
        report.Heading("clusters: exec to /ready 200 with N clusters of one endpoint; RSS then");
        report.Header("peer", "clusters", "from", "ready ms", "RSS MB");
        foreach (var kind in workshop.Peers.Where(static kind => kind is PeerKind.MeshProxy or PeerKind.Envoy))
        {
            foreach (var count in Counts)
            {
                Measure(kind, count, "bootstrap", StaticBootstrap(count));
                OverAds(kind, count);
            }
        }
    }

    private void OverAds(PeerKind kind, int count)
    {
        var folder = workshop.Folder($"clusters/resources-{count}");
        File.WriteAllText(Path.Combine(folder, "clusters.json"), $"[{Clusters(count, typed: true)}]");
        var port = Peer.FreePort();
        using var server = Command.Start(workshop.Executable, ["control-plane", "--dir", folder, "--listen", $"127.0.0.1:{port}"],
            Path.Combine(workshop.Folder("clusters"), "control-plane.log"));
        try
        {
            Peer.WaitUntilListening(server, "meshproxy control-plane", port, Limit);
        }
        catch (BenchException failed)
        {
            report.Row(kind.ToString(), $"{count}", "ADS", $"not measured: {failed.Message}", "-");
            return;
        }
        Measure(kind, count, "ADS", DynamicBootstrap(port));
    }

    private void Measure(PeerKind kind, int count, string source, string configuration)
    {
        try
        {
            var started = TimeProvider.System.GetTimestamp();
            using var peer = Peer.Launch(workshop, kind, $"clusters/{source}-{count}", configuration, backend: 9);
            var ready = ReadyProbe.Wait(peer, peer.AdminPort, started, Limit);
            report.Row(kind.ToString(), $"{count}", source, $"{ready:0}", $"{peer.Memory.Rss / 1000.0:0.0}");
        }
        catch (BenchException failed)
        {
            report.Row(kind.ToString(), $"{count}", source, $"not measured: {failed.Message}", "-");
        }
    }

    private static string StaticBootstrap(int count) =>
        "{" + Head + ",\"static_resources\":{\"clusters\":[" + Clusters(count, typed: false) + "]}}";

    private static string DynamicBootstrap(int port) => "{" + Head + Discovery + Assignment("ads", port) + "}]}}";

    private const string Head =
        """
        "node":{"id":"bench","cluster":"bench"},"admin":{"address":{"socket_address":{"address":"127.0.0.1","port_value":{{admin}}}}}
        """;

    private const string Discovery =
        """
        ,"dynamic_resources":{"cds_config":{"ads":{},"resource_api_version":"V3"},"ads_config":{"api_type":"DELTA_GRPC",
        "transport_api_version":"V3","grpc_services":[{"envoy_grpc":{"cluster_name":"ads"}}]}},"static_resources":{"clusters":[{"name":"ads",
        "type":"STATIC","connect_timeout":"5s","typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":{
        "@type":"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions","explicit_http_config":{"http2_protocol_options":{}}}},
        "load_assignment":
        """;

    private static string Clusters(int count, bool typed)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            // Names as long as istiod's.
            var name = $"outbound|8080||service-{i}.namespace-{i % 100}.svc.cluster.local";
            text.Append(i == 0 ? "{" : ",\n{");
            if (typed) text.Append("\"@type\":\"type.googleapis.com/envoy.config.cluster.v3.Cluster\",");
            text.Append($"\"name\":\"{name}\",\"type\":\"STATIC\",\"connect_timeout\":\"5s\",\"load_assignment\":{Assignment(name, 8080)}}}");
        }
        return text.ToString();
    }

    private static string Assignment(string name, int port) =>
        $"{{\"cluster_name\":\"{name}\",\"endpoints\":[{{\"lb_endpoints\":[{{\"endpoint\":{{\"address\":{{\"socket_address\":"
        + $"{{\"address\":\"127.0.0.1\",\"port_value\":{port}}}}}}}}}]}}]}}";
}
