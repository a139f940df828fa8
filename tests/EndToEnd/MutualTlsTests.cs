using System.Net.Sockets;
using MeshProxy.Demo.Mesh;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>What a sidecar accepts from a caller without a certificate.</summary>
[Trait("Category", "EndToEnd")]
public sealed class MutualTlsTests
{
    [MeshFact]
    public async Task Strict_refuses_plaintext_http()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.OfEachProtocol(MutualTls.Strict));
        using var client = FromStranger(mesh, "web");
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("/"));
    }

    [MeshFact]
    public async Task Strict_refuses_plaintext_tcp()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.OfEachProtocol(MutualTls.Strict));
        var (address, port) = mesh.Endpoint("echo");
        await using var stream = await mesh[Meshes.Stranger].ConnectAsync(address, port);
        Assert.True(await IsCutAsync(stream));
    }

    [MeshFact]
    public async Task Permissive_serves_both_on_one_port()
    {
        await using var mesh = await Meshes.StartAsync(Meshes.OfEachProtocol(MutualTls.Permissive));
        using var stranger = FromStranger(mesh, "web");
        Assert.Equal("plaintext", await stranger.GetStringAsync("/"));
        using var caller = mesh.HttpClient(Meshes.Caller, "web");
        Assert.Equal("spiffe://cluster.local/ns/shop/sa/caller", await caller.GetStringAsync("/"));
    }

    [MeshFact]
    public async Task A_refused_caller_is_told_403_and_others_are_served()
    {
        var description = Meshes.OfEachProtocol();
        description = description with
        {
            Refusals = new Dictionary<string, IReadOnlyList<Workload>>
            {
                ["web"] = [description.Workload(Meshes.Caller)],
            },
        };
        await using var mesh = await Meshes.StartAsync(description);
        using var refused = mesh.HttpClient(Meshes.Caller, "web");
        using var answer = await refused.GetAsync("/");
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, answer.StatusCode);
        using var other = mesh.HttpClient("greeter", "web");
        Assert.Equal("spiffe://cluster.local/ns/shop/sa/greeter", await other.GetStringAsync("/"));
    }

    private static HttpClient FromStranger(RunningMesh mesh, string workload)
    {
        var (address, port) = mesh.Endpoint(workload);
        var client = mesh[Meshes.Stranger].HttpClient(address, port);
        client.BaseAddress = new Uri("http://service/");
        return client;
    }

    // A connection that is refused after it was accepted ends without a byte, in either of the two ways TCP has.
    private static async Task<bool> IsCutAsync(NetworkStream stream)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            // Longer than the head of a TLS record, five bytes: less than that may still become TLS, and is waited for.
            await stream.WriteAsync("plain text"u8.ToArray(), limit.Token);
            return await stream.ReadAsync(new byte[1], limit.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
