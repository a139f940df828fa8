using System.IO.Compression;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace MeshProxy.Agent.Status;

/// <summary>The agent's own server (port 15020): readiness, applications' probes, metrics, drain and quit.</summary>
internal sealed class StatusServer : IAsyncDisposable
{
    private readonly StatusActions _actions;
    private readonly Dictionary<string, ApplicationProbe> _probes;
    private readonly Prober _prober;
    private readonly MergedMetrics _metrics;
    private readonly bool _areMetricsLocal;
    private readonly WebApplication _application;

    /// <param name="port">To listen on, on every address.</param>
    /// <param name="probes">By path.</param>
    /// <param name="prober">Asks the applications.</param>
    /// <param name="metrics">Answers for metrics.</param>
    /// <param name="areMetricsLocal">Whether metrics are for this pod alone (METRICS_LOCALHOST_ACCESS_ONLY).</param>
    /// <param name="actions">What the agent does when told.</param>
    public StatusServer(
        int port, Dictionary<string, ApplicationProbe> probes, Prober prober, MergedMetrics metrics, bool areMetricsLocal,
        StatusActions actions)
    {
        (_actions, _probes, _prober, _metrics, _areMetricsLocal) = (actions, probes, prober, metrics, areMetricsLocal);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.ListenAnyIP(port, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(HandleAsync);
    }

    public Task StartAsync() => _application.StartAsync();

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>Writes text, compressed for who takes that.</summary>
    public static async Task WriteAsync(HttpContext context, string type, string text)
    {
        context.Response.ContentType = type;
        var bytes = Encoding.UTF8.GetBytes(text);
        if (!context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
            return;
        }
        context.Response.Headers.ContentEncoding = "gzip";
        var compressed = new GZipStream(context.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await using (compressed.ConfigureAwait(false))
        {
            await compressed.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        switch (path)
        {
            case "/healthz/ready":
                context.Response.StatusCode = _actions.IsReady() ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
            case "/metrics" or "/stats/prometheus":
                return _areMetricsLocal && !IsLocal(context) ? RefuseAsync(context) : _metrics.AnswerAsync(context);
            case "/quitquitquit":
                return OrderAsync(context, _actions.Quit);
            case "/drain":
                return OrderAsync(context, _actions.Drain);
        }
        if (path.StartsWith("/app-health/", StringComparison.Ordinal) || path.StartsWith("/app-lifecycle/", StringComparison.Ordinal))
            return ProbeAsync(context, path);
        if (path.StartsWith("/debug/", StringComparison.Ordinal))
            return DebugAsync(context, path);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);

    private static Task RefuseAsync(HttpContext context) =>
        SayAsync(context, StatusCodes.Status403Forbidden, "Only requests from localhost are allowed\n");

    private static Task OrderAsync(HttpContext context, Action act)
    {
        if (!IsLocal(context))
            return RefuseAsync(context);
        if (!HttpMethods.IsPost(context.Request.Method))
            return SayAsync(context, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed\n");
        // After the answer: "quit" would end the process under it.
        context.Response.OnCompleted(() =>
        {
            act();
            return Task.CompletedTask;
        });
        return SayAsync(context, StatusCodes.Status200OK, "OK");
    }

    private Task ProbeAsync(HttpContext context, string path) => _probes.TryGetValue(path, out var probe)
        ? _prober.ProbeAsync(probe, context)
        : SayAsync(context, StatusCodes.Status400BadRequest, $"app prober config does not exists for {path}");

    private Task DebugAsync(HttpContext context, string path)
    {
        if (!IsLocal(context))
            return RefuseAsync(context);
        if (path != "/debug/ndsz")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        var table = _actions.NameTable();
        context.Response.StatusCode = table is null ? StatusCodes.Status404NotFound : StatusCodes.Status200OK;
        return WriteAsync(context, "application/json", table ?? "{}");
    }

    private static Task SayAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
