using MeshProxy.Agent;
using MeshProxy.Proxy.Server;

namespace MeshProxy.Cli;

/// <summary>The proxy server as the agent of the same process drives it.</summary>
internal sealed class EmbeddedProxy(ProxyServer server) : IProxy
{
    public bool IsLive => server.State == ServerState.Live;

    public Task<long> OpenConnectionsAsync()
    {
        var count = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        server.MainLoop.Post(() => count.SetResult(server.Listeners.OpenDiscoveredConnections));
        return count.Task;
    }

    public void Run() => server.Run();

    public void Drain(bool inboundOnly) =>
        server.MainLoop.Post(() => server.Listeners.Drain(graceful: true, inboundOnly, skipExit: true));

    public void Shutdown() => server.Shutdown();

    public void Dispose() => server.Dispose();
}
