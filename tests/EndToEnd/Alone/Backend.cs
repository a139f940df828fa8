using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>
/// A service over HTTP/1.1 and one over HTTP/2. Both give a request's body back, with the trailer of a gRPC call that went
/// well; a request to <see cref="HeldPath"/> is answered when the test says so.
/// </summary>
internal sealed class Backend : IAsyncDisposable
{
    public const string HeldPath = "/held";

    private readonly WebApplication _application;
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _arrived = new(0);

    private Backend(WebApplication application) => _application = application;

    public int Http1Port { get; private init; }

    public int Http2Port { get; private init; }

    public static async Task<Backend> StartAsync()
    {
        var ports = Ports.Free(2);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, ports[0], o => o.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, ports[1], o => o.Protocols = HttpProtocols.Http2);
        });
        var backend = new Backend(builder.Build()) { Http1Port = ports[0], Http2Port = ports[1] };
        backend._application.Run(backend.AnswerAsync);
        await backend._application.StartAsync();
        return backend;
    }

    /// <summary>Waits until a held request has come.</summary>
    public Task HeldAsync(CancellationToken limit) => _arrived.WaitAsync(limit);

    /// <summary>Answers what is held.</summary>
    public void Release() => _release.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == HeldPath)
        {
            _arrived.Release();
            await _release.Task.WaitAsync(context.RequestAborted);
        }

        if (context.Request.ContentType is { } type) context.Response.ContentType = type;
        await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
        if (context.Response.SupportsTrailers()) context.Response.AppendTrailer("grpc-status", "0");
    }
}
