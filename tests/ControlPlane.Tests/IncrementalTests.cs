using Xunit;
using Envoy.Service.Discovery.V3;
using static MeshProxy.ControlPlane.Tests.Requests;

namespace MeshProxy.ControlPlane.Tests;

public class IncrementalTests
{
    private const string Cds = NodeId + "/cds.json";
    private const string Rds = NodeId + "/rds.json";

    [Fact]
    public async Task Only_what_changed_is_pushed_and_what_is_gone_is_named()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a"), ClusterJson("b"), ClusterJson("c")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, AggregatedDelta);
        stream.Send(Delta(Cluster, [], node: Node()));
        var first = await Receive(stream);
        Assert.Equal(["a", "b", "c"], Names(first));
        stream.Send(Delta(Cluster, [], nonce: first.Nonce));
        await plane.LoggedAsync("ACK");

        plane.Put(Cds, Response(ClusterJson("a"), ClusterJson("b", "2s"), ClusterJson("d")));
        var second = await Receive(stream);
        Assert.Equal(["b", "d"], Names(second));
        Assert.Empty(second.RemovedResources.ToArray());
        var third = await Receive(stream);
        Assert.Empty(third.Resources);
        Assert.Equal(["c"], third.RemovedResources.ToArray());
        stream.Send(Delta(Cluster, [], nonce: second.Nonce, error: "bad"));
        await plane.LoggedAsync("NACK");
    }

    [Fact]
    public async Task A_cluster_goes_after_the_routes_that_named_it()
    {
        await using var plane = new RunningControlPlane();
        plane.Put("all.json", Response(ClusterJson("a"), RoutesJson("to-a")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, AggregatedDelta);
        stream.Send(Delta(Cluster, [], node: Node()));
        await Receive(stream);
        stream.Send(Delta(Routes, ["to-a", "to-b"]));
        var routes = await Receive(stream);
        Assert.Equal(["to-a"], Names(routes));
        Assert.Equal(["to-b"], routes.RemovedResources.ToArray());

        plane.Put("all.json", Response(ClusterJson("b"), RoutesJson("to-b")));
        Assert.Equal(["b"], Names(await Receive(stream)));
        routes = await Receive(stream);
        Assert.Equal(["to-b"], Names(routes));
        Assert.Equal(["to-a"], routes.RemovedResources.ToArray());
        Assert.Equal(["a"], (await Receive(stream)).RemovedResources.ToArray());
    }

    [Fact]
    public async Task A_client_that_comes_again_gets_what_it_does_not_have()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Cds, Response(ClusterJson("a"), ClusterJson("b")));
        await plane.StartAsync();
        string version;
        await using (var stream = await DiscoveryStream.OpenAsync(plane.Address, AggregatedDelta))
        {
            stream.Send(Delta(Cluster, [], node: Node()));
            version = (await Receive(stream)).Resources[0].Version;
        }
        await using var again = await DiscoveryStream.OpenAsync(plane.Address, AggregatedDelta);
        again.Send(Delta(Cluster, [], node: Node(), known: [("a", version), ("b", "old"), ("c", "x")]));
        var response = await Receive(again);
        Assert.Equal(["b"], Names(response));
        Assert.Equal(["c"], response.RemovedResources.ToArray());
    }

    [Fact]
    public async Task What_is_no_longer_subscribed_to_is_no_longer_pushed()
    {
        await using var plane = new RunningControlPlane();
        plane.Put(Rds, Response(RoutesJson("a"), RoutesJson("b")));
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, AggregatedDelta);
        stream.Send(Delta(Routes, ["a", "b"], node: Node()));
        await Receive(stream);
        stream.Send(Delta(Routes, ["b"], ["a"]));
        Assert.Equal(["b"], Names(await Receive(stream)));

        plane.Put(Rds, Response(RoutesJson("c")));
        Assert.Equal(["b"], (await Receive(stream)).RemovedResources.ToArray());
    }

    private static async Task<DeltaDiscoveryResponse> Receive(DiscoveryStream stream) =>
        (await stream.ReceiveAsync<DeltaDiscoveryResponse>())!.Value;

    private static IEnumerable<string> Names(DeltaDiscoveryResponse response) => response.Resources.Select(r => r.Name);
}
