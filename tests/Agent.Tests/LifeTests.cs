using System.Net;
using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>Readiness, the ways to end, and what happens to connections on each.</summary>
public sealed class LifeTests
{
    [Fact]
    public async Task It_is_ready_when_the_proxy_is()
    {
        await using var agent = await RunningAgent.StartAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await agent.AskAsync(HttpMethod.Get, "healthz/ready"));
        agent.Proxy.IsLive = true;
        Assert.Equal(HttpStatusCode.OK, await agent.AskAsync(HttpMethod.Get, "healthz/ready"));
    }

    [Theory]
    [InlineData("sidecar", "drain inbound")]
    [InlineData("router", "drain all")]
    public async Task A_signal_drains_for_the_configured_time_and_ends_well(string role, string drain)
    {
        await using var agent = await RunningAgent.StartAsync(role);
        agent.Proxy.OpenConnections = 1;
        agent.Terminate();
        Assert.Equal(TimeSpan.FromSeconds(7), await agent.Time.PassNextAsync());
        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal([drain, "shutdown"], agent.Proxy.Calls);
    }

    [Fact]
    public async Task With_exit_on_zero_it_stays_until_the_last_connection_is_gone()
    {
        await using var agent = await RunningAgent.StartAsync(
            "sidecar", ("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "true"), ("MINIMUM_DRAIN_DURATION", "3s"));
        agent.Proxy.OpenConnections = 1;
        agent.Terminate();
        Assert.Equal(TimeSpan.FromSeconds(3), await agent.Time.PassNextAsync());
        for (var look = 0; look < 20; look++)
            Assert.Equal(TimeSpan.FromSeconds(1), await agent.Time.PassNextAsync());
        Assert.False(agent.Exit.IsCompleted);
        agent.Proxy.OpenConnections = 0;
        await agent.Time.PassNextAsync();
        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task With_exit_on_zero_the_minimum_is_waited_for_without_connections_too()
    {
        await using var agent = await RunningAgent.StartAsync(
            "sidecar", ("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "true"));
        agent.Terminate();
        Assert.Equal(TimeSpan.FromSeconds(5), await agent.Time.PassNextAsync());
        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task A_drain_that_was_asked_for_before_the_signal_is_not_repeated()
    {
        await using var agent = await RunningAgent.StartAsync("sidecar");
        Assert.Equal(HttpStatusCode.OK, await agent.AskAsync(HttpMethod.Post, "drain"));
        await agent.Proxy.Draining;
        agent.Terminate();
        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal(["drain inbound", "shutdown"], agent.Proxy.Calls);
    }

    [Fact]
    public async Task Told_to_quit_it_ends_at_once_and_well()
    {
        await using var agent = await RunningAgent.StartAsync("sidecar");
        Assert.Equal(HttpStatusCode.OK, await agent.AskAsync(HttpMethod.Post, "quitquitquit"));
        Assert.Equal(0, await agent.ExitAsync());
        Assert.Equal(["shutdown"], agent.Proxy.Calls);
    }

    [Fact]
    public async Task A_signal_before_there_is_configuration_ends_it_too()
    {
        await using var agent = await RunningAgent.StartAsync("sidecar");
        Assert.False(agent.Proxy.IsLive);
        agent.Terminate();
        await agent.Time.PassNextAsync();
        Assert.Equal(0, await agent.ExitAsync());
    }
}
