using System.Net;
using Grpc.Health.V1;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.ControlPlane.Security;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>The listeners: discovery and health over gRPC, health over plain HTTP.</summary>
internal sealed class DiscoveryServer : IAsyncDisposable
{
    private const string HealthCheck = "/grpc.health.v1.Health/Check";

    // A client that vanished without a word is noticed within a minute (Istio's server asks every 30 s as well).
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    private readonly DiscoverySource _source;
    private readonly ControlPlaneMetrics _metrics;
    private readonly ServerTls? _tls;
    private readonly Action<string> _log;
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stop = new();

    /// <param name="listen">Where gRPC is served.</param>
    /// <param name="tls">How, or null for without TLS.</param>
    /// <param name="monitoring">Where health and metrics are served over HTTP/1.1, or null for nowhere.</param>
    /// <param name="source">What is served.</param>
    /// <param name="metrics">Counts what is served, and is served on `/metrics`.</param>
    /// <param name="log">Gets one sentence an event.</param>
    public DiscoveryServer(
        IPEndPoint listen, ServerTls? tls, IPEndPoint? monitoring, DiscoverySource source, ControlPlaneMetrics metrics, Action<string> log)
    {
        (_source, _tls, _metrics, _log) = (source, tls, metrics, log);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            Configure(options);
            options.Listen(listen, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                if (tls is not null)
                    endpoint.UseHttps(tls.Options());
            });
            if (monitoring is not null)
                options.Listen(monitoring, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(HandleAsync);
    }

    /// <summary>The addresses that are listened on, the port that the system chose included.</summary>
    public IEnumerable<string> Addresses => _application.Urls;

    public Task StartAsync(CancellationToken stop) => _application.StartAsync(stop);

    /// <summary>Ends the streams, which makes their clients come again, and then the server.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _application.StopAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private static void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        // Streams are idle for hours and as long as they like.
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.Http2.KeepAlivePingDelay = KeepAlive;
    }

    private Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (GrpcCall.IsOne(context.Request))
            return CallAsync(context, path);
        if (path == "/metrics")
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return context.Response.WriteAsync(_metrics.Write(), context.RequestAborted);
        }
        context.Response.StatusCode = path is "/healthz" or "/readyz" or "/ready"
            ? StatusCodes.Status200OK
            : StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private async Task CallAsync(HttpContext context, string path)
    {
        var call = new GrpcCall(context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, context.RequestAborted);
        try
        {
            var (status, reason) = path == HealthCheck
                ? await CheckAsync(call, stop.Token).ConfigureAwait(false)
                : await DiscoverAsync(call, context, path, stop.Token).ConfigureAwait(false);
            call.Finish(status, reason);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            if (!context.RequestAborted.IsCancellationRequested)
                call.Finish(GrpcStatus.Unavailable, "the server is stopping");
        }
    }

    private async Task<(GrpcStatus, string)> DiscoverAsync(GrpcCall call, HttpContext context, string path, CancellationToken stop)
    {
        if (!ResourceTypes.TryFindMethod(path, out var type, out var isDelta))
        {
            await call.StartAsync(stop).ConfigureAwait(false);
            return (GrpcStatus.Unimplemented, $"there is no method {path}");
        }
        var proven = _tls is { DemandsIdentity: true } ? ServerTls.IdentityOf(context.Connection.ClientCertificate) : null;
        var client = new DiscoveryClient(_source, type, proven, _metrics, _log);
        IDiscoveryProtocol protocol = isDelta ? new Incremental(client) : new StateOfTheWorld(client);
        _metrics.ClientCame();
        try
        {
            var outcome = await new DiscoverySession(call, protocol, _source, _metrics).RunAsync(stop).ConfigureAwait(false);
            if (outcome.Status != GrpcStatus.Ok)
            {
                _metrics.CountStreamError();
                _log($"The stream of {client.Name} was ended: {outcome.Reason}.");
            }
            return outcome;
        }
        finally
        {
            _metrics.ClientWent();
        }
    }

    private static async Task<(GrpcStatus, string)> CheckAsync(GrpcCall call, CancellationToken stop)
    {
        await call.StartAsync(stop).ConfigureAwait(false);
        try
        {
            await call.ReadAsync(HealthCheckRequest.Descriptor, stop).ConfigureAwait(false);
        }
        catch (ProtobufException refused)
        {
            return (GrpcStatus.InvalidArgument, refused.Message);
        }
        // Whoever is answered finds everything read: listening begins after that.
        var response = HealthCheckResponse.New();
        response.Status = HealthCheckResponse.ServingStatus.Serving;
        await call.WriteAsync(response.Message, stop).ConfigureAwait(false);
        return (GrpcStatus.Ok, "");
    }
}
