using MeshProxy.Demo.Network;
using MeshProxy.EndToEnd.Alone;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>
/// The end of a proxy under load, in both forms: the agent, which is told by SIGTERM, and the proxy alone, which pilot-agent
/// tells to drain and then ends. Endpoints of a pod that goes are taken away while it drains: so does the test, by stopping
/// its load, after many calls to a proxy that already drains.
/// </summary>
[Trait("Category", "EndToEnd")]
public sealed class DrainTests
{
    private const int Calls = 500;

    [ExecutableTheory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/2")]
    [InlineData("gRPC")]
    public async Task An_agent_that_is_terminated_costs_no_call(string protocol)
    {
        await using var backend = await Backend.StartAsync();
        var port = Ports.Free(1)[0];
        await using var pod = await AgentPod.StartAsync(
            TestConfiguration.Clusters(backend), TestConfiguration.Listener(port),
            "EXIT_ON_ZERO_ACTIVE_CONNECTIONS=true", "MINIMUM_DRAIN_DURATION=1s");
        await DrainAsync(protocol, backend, port, pod.Process, () =>
        {
            pod.Process.Terminate();
            return Task.CompletedTask;
        });
        Assert.Equal(0, await pod.Process.WaitForExitAsync(Limit()));
    }

    [ExecutableTheory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/2")]
    [InlineData("gRPC")]
    public async Task A_proxy_that_is_told_to_drain_and_then_terminated_costs_no_call(string protocol)
    {
        await using var backend = await Backend.StartAsync();
        var port = Ports.Free(1)[0];
        await using var proxy = await BareProxy.StartAsync(
            TestConfiguration.Clusters(backend), TestConfiguration.Listener(port));
        await DrainAsync(protocol, backend, port, proxy.Process, async () =>
        {
            using var answer = await proxy.Admin.PostAsync("drain_listeners?inboundonly&graceful", null);
            answer.EnsureSuccessStatusCode();
        });
        proxy.Process.Terminate();
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Limit()));
    }

    private static async Task DrainAsync(
        string protocol, Backend backend, int port, ChildProcess proxy, Func<Task> beginDrain)
    {
        var caller = new Caller(protocol, port);
        var load = SteadyLoad.Start(() => caller.CallAsync("/"));
        await load.WaitForMoreAsync(Calls, Limit());
        // Under way from before the drain until it is long under way.
        var held = caller.CallAsync(Backend.HeldPath);
        await backend.HeldAsync(Limit());
        await beginDrain();
        await load.WaitForMoreAsync(Calls, Limit());
        await caller.ToldToLeaveAsync(Limit());
        Assert.True(proxy.IsRunning);
        var figures = await load.StopAsync();
        Assert.True(proxy.IsRunning);
        backend.Release();
        await held;
        caller.Dispose();
        Assert.True(figures.Failures == 0, $"{figures.Failures} failed; the first: {figures.FirstFailure}");
    }

    private static CancellationToken Limit() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
}
