using System.Net;
using MeshProxy.Demo.Mesh;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MeshProxy.Demo.Applications;

/// <summary>
/// An HTTP or gRPC service. Each answer names its version (<see cref="VersionHeader"/>) and its pod; the body of an
/// HTTP answer is the caller's identity as the sidecar certified it, or "plaintext"; gRPC calls are echoed.
/// </summary>
internal sealed class WebApplicationServer : IApplication
{
    /// <summary>The response header with the version label of the pod that answered.</summary>
    public const string VersionHeader = "x-version";

    /// <summary>The response header with the name of the pod that answered.</summary>
    public const string PodHeader = "x-pod";

    private readonly WebApplication _application;

    private WebApplicationServer(WebApplication application) => _application = application;

    /// <summary>Starts it in a pod.</summary>
    public static async Task<WebApplicationServer> StartAsync(Pod pod, IPEndPoint address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<SocketTransportOptions>(o => o.CreateBoundListenSocket = pod.Bind);
        var grpc = pod.Workload.Service!.Protocol == ServiceProtocol.Grpc;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            address, o => o.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var application = builder.Build();
        application.Run(context => AnswerAsync(context, pod.Workload));
        await application.StartAsync();
        return new WebApplicationServer(application);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // Without a token that is cancelled already Kestrel would wait for requests in flight; a dying pod does not.
        await _application.StopAsync(new CancellationToken(canceled: true));
        await _application.DisposeAsync();
    }

    private static async Task AnswerAsync(HttpContext context, Workload workload)
    {
        context.Response.Headers[VersionHeader] = workload.Version;
        context.Response.Headers[PodHeader] = workload.Name;
        if (context.Request.ContentType == "application/grpc") await EchoAsync(context);
        else await context.Response.WriteAsync(Caller(context));
    }

    private static string Caller(HttpContext context)
    {
        var certified = context.Request.Headers["x-forwarded-client-cert"].ToString();
        var identity = certified.Split(';', ',').LastOrDefault(p => p.StartsWith("URI=", StringComparison.Ordinal));
        return identity is null ? "plaintext" : identity["URI=".Length..];
    }

    private static async Task EchoAsync(HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        while (true)
        {
            var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
            foreach (var part in read.Buffer) await context.Response.Body.WriteAsync(part, context.RequestAborted);
            context.Request.BodyReader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) break;
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }
}
