using System.Globalization;
using System.Net.Sockets;
using System.Net;
using MeshProxy.Agent.Configuration;

namespace MeshProxy.Agent.Tests;

/// <summary>An agent in a pod of its own, around a proxy that is none.</summary>
internal sealed class RunningAgent : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PodFolder _pod = new();
    private readonly AgentService _service;
    private readonly HttpClient _client = new() { Timeout = Patience };

    private RunningAgent(string role, Dictionary<string, string> variables)
    {
        // Mounted certificates: nothing is asked of an authority.
        foreach (var file in (string[])["cert-chain.pem", "key.pem", "root-cert.pem"])
            _pod.Write("etc/certs/" + file, "mounted");
        var port = FreePort();
        variables["PROXY_CONFIG"] = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"statusPort":{{port}},"discoveryAddress":"127.0.0.1:1","controlPlaneAuthPolicy":"NONE","terminationDrainDuration":"7s"}""");
        _client.BaseAddress = new Uri($"http://127.0.0.1:{port}/");
        _service = new AgentService(
            new AgentOptions { Role = role }, new AgentEnvironment(variables), static _ => { }, Time);
        Exit = Task.Factory.StartNew(
            () => _service.Run((_, _) => Proxy), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public FakeProxy Proxy { get; } = new();

    public ManualTime Time { get; } = new();

    /// <summary>Its end, with the exit status.</summary>
    public Task<int> Exit { get; }

    /// <summary>Starts one and waits until its proxy runs.</summary>
    public static async Task<RunningAgent> StartAsync(string role = "sidecar", params (string Name, string Value)[] variables)
    {
        var agent = new RunningAgent(role, variables.ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal));
        await Task.WhenAny(agent.Proxy.Running, agent.Exit).WaitAsync(Patience);
        return agent;
    }

    public async Task<HttpStatusCode> AskAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await _client.SendAsync(request);
        return answer.StatusCode;
    }

    public Task<string> GetAsync(string path) => _client.GetStringAsync(path);

    /// <summary>As on SIGTERM.</summary>
    public void Terminate() => _service.Terminate();

    public Task<int> ExitAsync() => Exit.WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        if (!Exit.IsCompleted)
        {
            await AskAsync(HttpMethod.Post, "quitquitquit");
            await ExitAsync();
        }
        _client.Dispose();
        _pod.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
