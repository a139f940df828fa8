using System.Net;
using Envoy.Service.Discovery.V3;
using Xunit;
using static MeshProxy.ControlPlane.Tests.Requests;

namespace MeshProxy.ControlPlane.Tests;

public class MetricsTests
{
    private const string Cds = NodeId + "/cds.json";

    [Fact]
    public async Task Streams_answers_refusals_changes_and_certificates_are_counted()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Cluster, [], node: Node()));
        var first = (await stream.ReceiveAsync<DiscoveryResponse>())!.Value;
        stream.Send(World(Cluster, [], first.Nonce, error: "no such thing"));
        await plane.LoggedAsync("NACK");
        stream.Send(World(Secret, ["default"]));
        _ = await stream.ReceiveAsync<DiscoveryResponse>();
        plane.Put(Cds, Response(ClusterJson("b")));
        _ = await stream.ReceiveAsync<DiscoveryResponse>();

        var metrics = await ReadAsync(plane);
        Assert.Contains("istio_build{component=\"pilot\",tag=\"", metrics);
        Assert.Contains("pilot_xds{} 1\n", metrics);
        Assert.Contains("pilot_total_xds_rejects{type=\"cds\"} 1\n", metrics);
        Assert.Contains("pilot_xds_cds_reject{} 1\n", metrics);
        Assert.Contains("citadel_server_success_cert_issuance_count{} 1\n", metrics);
        Assert.Contains("pilot_xds_config_size_bytes_bucket{type=\"cds\",le=\"+Inf\"}", metrics);
        Assert.DoesNotContain("pilot_push_triggers{type=\"config\"} 0\n", metrics);
        Assert.Contains("process_resident_memory_bytes{}", metrics);
    }

    private static async Task<string> ReadAsync(RunningControlPlane plane)
    {
        using var client = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        return await client.GetStringAsync(new Uri(plane.Address, "/metrics"));
    }
}
