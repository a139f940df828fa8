using MeshProxy.ControlPlane.Discovery;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.Xds.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MeshProxy.Agent.Discovery;

/// <summary>What the proxy's bootstrap calls xds-grpc and sds-grpc: two Unix sockets, discovery and secrets.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    // Pushes to the proxy of the same pod say nothing that the agent's own metrics do not.
    private readonly ControlPlaneMetrics _notShown = new();
    private readonly DiscoveryRelay _relay;
    private readonly IResourceSource _secrets;
    private readonly Action<string> _log;
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stop = new();

    public LocalServer(string discoverySocket, string secretSocket, DiscoveryRelay relay, IResourceSource secrets, Action<string> log)
    {
        (_relay, _secrets, _log) = (relay, secrets, log);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            foreach (var socket in (string[])[discoverySocket, secretSocket])
            {
                var path = Path.GetFullPath(socket);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.Delete(path);
                options.ListenUnixSocket(path, endpoint => endpoint.Protocols = HttpProtocols.Http2);
            }
        });
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(HandleAsync);
    }

    public Task StartAsync() => _application.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var call = new GrpcCall(context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, context.RequestAborted);
        try
        {
            var (status, reason) = await AnswerAsync(call, context.Request.Path.Value ?? "", stop.Token).ConfigureAwait(false);
            call.Finish(status, reason);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            if (!context.RequestAborted.IsCancellationRequested)
                call.Finish(GrpcStatus.Unavailable, "the agent is stopping");
        }
    }

    private async Task<(GrpcStatus, string)> AnswerAsync(GrpcCall call, string path, CancellationToken stop)
    {
        if (!ResourceTypes.TryFindMethod(path, out var type, out var isDelta))
        {
            await call.StartAsync(stop).ConfigureAwait(false);
            return (GrpcStatus.Unimplemented, $"there is no method {path}");
        }
        if (type is null)
            return await _relay.RunAsync(call, path, stop).ConfigureAwait(false);
        var client = new DiscoveryClient(_secrets, type, proven: null, _notShown, _log);
        IDiscoveryProtocol protocol = isDelta ? new Incremental(client) : new StateOfTheWorld(client);
        return await new DiscoverySession(call, protocol, _secrets, _notShown).RunAsync(stop).ConfigureAwait(false);
    }
}
