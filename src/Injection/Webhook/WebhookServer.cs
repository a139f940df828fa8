using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace MeshProxy.Injection.Webhook;

/// <summary>The webhook's listeners: `/inject` over HTTPS (or plain HTTP for tests), health and metrics on another port.</summary>
internal sealed class WebhookServer : IAsyncDisposable
{
    // The API server's own limit of an object is lower (1.5 MiB in etcd); Istio reads up to 6 MiB.
    private const int LargestBody = 6 * 1024 * 1024;

    private readonly AdmissionReviewer _reviewer;
    private readonly WebhookMetrics _metrics;
    private readonly Func<bool> _ready;
    private readonly WebApplication _application;
    private readonly int _monitoringPort;

    /// <param name="listen">Where reviews are answered.</param>
    /// <param name="certificate">The certificate for the next connection, or null for plain HTTP.</param>
    /// <param name="monitoring">Where health and metrics are, or null for nowhere.</param>
    /// <param name="reviewer">Answers reviews.</param>
    /// <param name="metrics">What `/metrics` shows.</param>
    /// <param name="ready">What `/readyz` says.</param>
    public WebhookServer(
        IPEndPoint listen, Func<X509Certificate2>? certificate, IPEndPoint? monitoring,
        AdmissionReviewer reviewer, WebhookMetrics metrics, Func<bool> ready)
    {
        (_reviewer, _metrics, _ready) = (reviewer, metrics, ready);
        _monitoringPort = monitoring?.Port ?? -1;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            // One byte more than is taken: too large is our answer (400), not the server's.
            options.Limits.MaxRequestBodySize = null;
            options.Listen(listen, endpoint =>
            {
                if (certificate is not null)
                    endpoint.UseHttps(Tls(certificate));
            });
            if (monitoring is not null)
                options.Listen(monitoring);
        });
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(HandleAsync);
    }

    public Task StartAsync(CancellationToken stop) => _application.StartAsync(stop);

    /// <summary>Refuses new connections and ends when the requests that run have their answers.</summary>
    public Task StopAsync(CancellationToken stop) => _application.StopAsync(stop);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static HttpsConnectionAdapterOptions Tls(Func<X509Certificate2> certificate) => new()
    {
        SslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
        ServerCertificateSelector = (_, _) => certificate(),
    };

    private Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (context.Connection.LocalPort == _monitoringPort)
            return MonitorAsync(context, path);
        if (InjectPath.Matches(path))
            return InjectAsync(context, path);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private Task MonitorAsync(HttpContext context, string path)
    {
        switch (path)
        {
            case "/metrics":
                context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                return context.Response.WriteAsync(_metrics.Write(), context.RequestAborted);
            case "/healthz":
                return Task.CompletedTask;
            case "/readyz" or "/ready":
                context.Response.StatusCode = _ready() ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private async Task InjectAsync(HttpContext context, string path)
    {
        var body = await ReadBodyAsync(context).ConfigureAwait(false);
        if (body is null || body.WrittenCount == 0)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync(
                body is null ? "the body is too large" : "the body is empty", Encoding.UTF8, context.RequestAborted).ConfigureAwait(false);
            return;
        }
        if (context.Request.ContentType != "application/json")
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            await context.Response.WriteAsync(
                "Content-Type must be application/json", Encoding.UTF8, context.RequestAborted).ConfigureAwait(false);
            return;
        }
        var answer = await _reviewer.AnswerAsync(body.WrittenMemory, path, context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        await context.Response.BodyWriter.WriteAsync(answer, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task<ArrayBufferWriter<byte>?> ReadBodyAsync(HttpContext context)
    {
        var body = new ArrayBufferWriter<byte>();
        while (true)
        {
            var result = await context.Request.BodyReader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            foreach (var segment in result.Buffer)
            {
                if (body.WrittenCount <= LargestBody)
                    body.Write(segment.Span);
            }
            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return body.WrittenCount > LargestBody ? null : body;
        }
    }
}
