using MeshProxy.Demo.Mesh;
using MeshProxy.Demo.Network;
using MeshProxy.Demo.Traffic;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>The harness itself: namespaces, applications and clients, before any proxy stands between them.</summary>
[Trait("Category", "EndToEnd")]
public sealed class FabricTests
{
    [NamespaceFact]
    public async Task Pods_reach_each_other_in_each_protocol()
    {
        await using var mesh = await RunningMesh.StartAsync(Meshes.WithoutSidecars(), "");
        using var web = Client(mesh, "web");
        Assert.Equal("plaintext", await web.GetStringAsync("/"));
        using var greeter = Client(mesh, "greeter");
        Assert.Equal("hello", await Talk.GrpcAsync(greeter, "hello"));
        await using var echo = await Connect(mesh, "echo");
        Assert.Equal("ping", await Talk.EchoAsync(echo, "ping"));
        await using var mail = await Connect(mesh, "mail");
        Assert.Equal("220 mail ready\r\n", await Talk.ReadAsync(mail, 16));
        Assert.Equal("HELO\r\n", await Talk.EchoAsync(mail, "HELO\r\n"));
    }

    [NamespaceFact]
    public async Task A_mesh_leaves_no_namespace_behind()
    {
        var mesh = await RunningMesh.StartAsync(Meshes.WithoutSidecars(), "");
        var ours = $"meshdemo-{Environment.ProcessId}-";
        Assert.Contains(NetworkNamespace.Names(), n => n.StartsWith(ours, StringComparison.Ordinal));
        await mesh.DisposeAsync();
        Assert.DoesNotContain(NetworkNamespace.Names(), n => n.StartsWith(ours, StringComparison.Ordinal));
    }

    [NamespaceFact]
    public async Task Load_is_counted_by_version_and_a_crash_is_seen()
    {
        await using var mesh = await RunningMesh.StartAsync(Meshes.WithoutSidecars(), "");
        await using var load = LoadGenerator.Start(Client(mesh, "web"), requestsPerSecond: 500);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await load.WaitForAnswersAsync(200, limit.Token);
        var before = load.Figures;
        Assert.Equal(0, before.Failures);
        Assert.Equal("v1", Assert.Single(before.Versions).Version);
        await mesh["web"].CrashAsync();
        await load.WaitForFailuresAsync(1, limit.Token);
    }

    private static HttpClient Client(RunningMesh mesh, string workload)
    {
        var (address, port) = mesh.Endpoint(workload);
        var client = mesh[Meshes.Caller].HttpClient(address, port);
        client.BaseAddress = new Uri("http://service/");
        return client;
    }

    private static Task<System.Net.Sockets.NetworkStream> Connect(RunningMesh mesh, string workload)
    {
        var (address, port) = mesh.Endpoint(workload);
        return mesh[Meshes.Caller].ConnectAsync(address, port);
    }
}
