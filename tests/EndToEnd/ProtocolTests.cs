using MeshProxy.Demo.Mesh;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>Each protocol through two sidecars, behind redirects, with strict mutual TLS between them.</summary>
[Trait("Category", "EndToEnd")]
public sealed class ProtocolTests : IAsyncLifetime
{
    private RunningMesh? _mesh;

    private RunningMesh Mesh => _mesh!;

    public async Task InitializeAsync() => _mesh = await Meshes.StartAsync(Meshes.OfEachProtocol());

    public async Task DisposeAsync() => await Mesh.DisposeAsync();

    [MeshFact]
    public async Task Http_carries_the_callers_identity()
    {
        using var client = Mesh.HttpClient(Meshes.Caller, "web");
        Assert.Equal("spiffe://cluster.local/ns/shop/sa/caller", await client.GetStringAsync("/"));
    }

    [MeshFact]
    public async Task Grpc_keeps_its_messages_and_trailers()
    {
        using var client = Mesh.HttpClient(Meshes.Caller, "greeter");
        Assert.Equal("hello", await Talk.GrpcAsync(client, "hello"));
    }

    [MeshFact]
    public async Task Plain_tcp_is_carried_both_ways()
    {
        await using var stream = await Mesh.ConnectAsync(Meshes.Caller, "echo");
        Assert.Equal("one", await Talk.EchoAsync(stream, "one"));
        Assert.Equal("two", await Talk.EchoAsync(stream, "two"));
    }

    [MeshFact]
    public async Task A_server_that_speaks_first_is_heard()
    {
        await using var stream = await Mesh.ConnectAsync(Meshes.Caller, "mail");
        Assert.Equal("220 mail ready\r\n", await Talk.ReadAsync(stream, 16));
        Assert.Equal("HELO\r\n", await Talk.EchoAsync(stream, "HELO\r\n"));
    }
}
