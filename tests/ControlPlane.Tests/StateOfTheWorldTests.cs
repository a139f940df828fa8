using Xunit;
using Envoy.Service.Discovery.V3;
using static MeshProxy.ControlPlane.Tests.Requests;

namespace MeshProxy.ControlPlane.Tests;

public class StateOfTheWorldTests
{
    private const string Cds = NodeId + "/cds.json";

    [Fact]
    public async Task A_replaced_file_is_pushed()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a"), ClusterJson("b")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);

        stream.Send(World(Cluster, [], node: Node()));
        var first = await Receive(stream);
        Assert.Equal(["a", "b"], Names(first));
        stream.Send(World(Cluster, [], first.Nonce));
        await plane.LoggedAsync($"ACK: {NodeId} took Cluster {first.VersionInfo}");

        plane.Put(Cds, Response(ClusterJson("a", "2s")));
        var second = await Receive(stream);
        Assert.Equal(["a"], Names(second));
        Assert.NotEqual(first.VersionInfo, second.VersionInfo);
    }

    [Fact]
    public async Task A_file_with_a_mistake_leaves_what_was_served_and_says_why()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a")));
        await plane.StartAsync();
        plane.Put(Cds, Response(ClusterJson("")));
        await plane.LoggedAsync("what it said before is served on");
        Assert.Contains("has no name", plane.Logged);
        plane.Put(Cds, Response("""{ "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "a", "nonsense": 1 }"""));
        await plane.LoggedAsync("nonsense");
        plane.Put(Cds, Response(ClusterJson("a", "0s")));
        await plane.LoggedAsync("connect_timeout");

        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Cluster, [], node: Node()));
        Assert.Equal(["a"], Names(await Receive(stream)));
    }

    [Fact]
    public async Task A_refusal_is_written_down_and_not_answered_with_the_same()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Cluster, [], node: Node()));
        var first = await Receive(stream);
        stream.Send(World(Cluster, [], first.Nonce, error: "no such thing"));
        await plane.LoggedAsync($"NACK: {NodeId} refused Cluster {first.VersionInfo}: no such thing");

        plane.Put(Cds, Response(ClusterJson("b")));
        Assert.Equal(["b"], Names(await Receive(stream)));
    }

    [Fact]
    public async Task Names_that_are_added_are_answered_and_clusters_take_their_endpoints_along()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a")));
        plane.Put(NodeId + "/eds.json", Response(EndpointsJson("a"), EndpointsJson("b"), EndpointsJson("c")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Cluster, [], node: Node()));
        var clusters = await Receive(stream);
        stream.Send(World(Cluster, [], clusters.Nonce));
        stream.Send(World(Endpoints, ["a"]));
        var first = await Receive(stream);
        Assert.Equal(["a"], Names(first));
        stream.Send(World(Endpoints, ["a", "b"], first.Nonce));
        Assert.Equal(["a", "b"], Names(await Receive(stream)).Order());

        plane.Put(Cds, Response(ClusterJson("a", "3s")));
        Assert.Equal(Cluster, (await Receive(stream)).TypeUrl);
        Assert.Equal(["a", "b"], Names(await Receive(stream)).Order());
    }

    [Fact]
    public async Task Files_for_all_serve_every_node_and_a_nodes_own_go_before_them()
    {
        await using var plane = new RunningControlPlane();
        plane.Put("all.yaml", $"""
            - "@type": {Cluster}
              name: shared
            - "@type": {Routes}
              name: r
            ---
            "@type": {Cluster}
            name: both
            connect_timeout: 1s
            """);
        plane.Put(Cds, Response(ClusterJson("both", "9s")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Cluster, [], node: Node()));
        var clusters = await Receive(stream);
        Assert.Equal(["shared", "both"], Names(clusters));
        Assert.Equal(
            TimeSpan.FromSeconds(9), clusters.Resources[1].Unpack<Envoy.Config.Cluster.V3.Cluster>().ConnectTimeout);
        stream.Send(World(Routes, ["r"]));
        Assert.Equal(["r"], Names(await Receive(stream)));
    }

    [Fact]
    public async Task Nothing_is_an_answer_about_listeners()
    {
        await using var plane = new RunningControlPlane();
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Aggregated);
        stream.Send(World(Listener, [], node: Node()));
        Assert.Empty((await Receive(stream)).Resources);
        stream.Finish();
        Assert.Null(await stream.ReceiveAsync<DiscoveryResponse>());
        Assert.Equal("0", stream.Status);
    }

    [Theory]
    [InlineData("/envoy.service.discovery.v3.AggregatedDiscoveryService/Nothing", "12")]
    [InlineData(Secrets, "3")]
    public async Task What_is_not_served_is_refused(string method, string status)
    {
        await using var plane = new RunningControlPlane();
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, method);
        stream.Send(World(Cluster, [], node: Node()));
        Assert.Null(await stream.ReceiveAsync<DiscoveryResponse>());
        Assert.Equal(status, stream.Status);
    }

    private static async Task<DiscoveryResponse> Receive(DiscoveryStream stream) =>
        (await stream.ReceiveAsync<DiscoveryResponse>())!.Value;

    private static IEnumerable<string> Names(DiscoveryResponse response) =>
        response.Resources.Select(resource => Resources.ServedResource.Of(resource).Name);
}
