using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace MeshProxy.Agent.Status;

/// <summary>Metrics of the agent, the proxy and the application in one answer. A source that fails is left out.</summary>
internal sealed class MergedMetrics : IDisposable
{
    private const string TextFormat = "text/plain; version=0.0.4; charset=utf-8";
    private const string OpenMetrics = "application/openmetrics-text";
    private const string EndOfOpenMetrics = "# EOF";

    // Of each source of several, as Istio bounds them.
    private const long LargestAnswer = 10 * 1024 * 1024;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = true })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = LargestAnswer,
    };

    private readonly Uri _proxy;
    private readonly IReadOnlyList<MetricsTarget> _targets;
    private readonly string _version;
    private readonly Func<DateTimeOffset?> _expiry;
    private long _scrapes;
    private long _proxyFailures;
    private long _applicationFailures;

    /// <param name="proxyPort">Where the proxy shows its own metrics, on the loopback interface.</param>
    /// <param name="targets">Where the application does.</param>
    /// <param name="version">Of the agent.</param>
    /// <param name="expiry">When the workload's certificate ends; null without one.</param>
    public MergedMetrics(
        int proxyPort, IReadOnlyList<MetricsTarget> targets, string version, Func<DateTimeOffset?> expiry)
    {
        _proxy = new UriBuilder("http", "localhost", proxyPort, "/stats/prometheus").Uri;
        (_targets, _version, _expiry) = (targets, version, expiry);
    }

    public async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _scrapes);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        if (ScrapeTimeout(context.Request) is { } timeout)
            stop.CancelAfter(timeout);
        var proxy = ScrapeProxyAsync(context, stop.Token);
        var answers = await Task.WhenAll(_targets.Select(target => ScrapeAsync(target, context, stop.Token))).ConfigureAwait(false);
        var proxied = await proxy.ConfigureAwait(false);
        var (type, applications) = Join([.. answers.OfType<Scrape>()]);
        await StatusServer.WriteAsync(context, type, Own() + proxied + applications).ConfigureAwait(false);
    }

    public void Dispose() => _client.Dispose();

    private static TimeSpan? ScrapeTimeout(HttpRequest request) =>
        double.TryParse(request.Headers["X-Prometheus-Scrape-Timeout-Seconds"], CultureInfo.InvariantCulture, out var seconds)
            && seconds is > 0 and < 3600
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static (string Type, string Text) Join(IReadOnlyList<Scrape> answers)
    {
        if (answers is [var only])
            return (Canonical(only.Type), only.Text);
        var isOpen = answers.Count > 0 && answers.All(answer => IsOpen(answer.Type));
        var text = new StringBuilder();
        foreach (var answer in answers)
            text.Append(WithoutEnd(answer.Text));
        if (isOpen)
            text.Append(EndOfOpenMetrics).Append('\n');
        return (isOpen ? Canonical(answers[0].Type) : TextFormat, text.ToString());
    }

    private static bool IsOpen(string type) => type.StartsWith(OpenMetrics, StringComparison.OrdinalIgnoreCase);

    private static string Canonical(string type) => !IsOpen(type)
        ? TextFormat
        : $"{OpenMetrics}; version={(type.Contains("version=1.0.0", StringComparison.Ordinal) ? "1.0.0" : "0.0.1")}; charset=utf-8";

    private static string WithoutEnd(string text)
    {
        var body = text.AsSpan().TrimEnd('\n');
        if (body.EndsWith(EndOfOpenMetrics, StringComparison.Ordinal))
            body = body[..^EndOfOpenMetrics.Length].TrimEnd('\n');
        return body.IsEmpty ? "" : string.Concat(body, "\n");
    }

    private string Own() => string.Create(CultureInfo.InvariantCulture, $$"""
        # HELP istio_build The build of this agent.
        # TYPE istio_build gauge
        istio_build{component="agent",tag="{{_version}}"} 1
        # HELP istio_agent_scrapes_total How often these metrics were asked for.
        # TYPE istio_agent_scrapes_total counter
        istio_agent_scrapes_total {{Interlocked.Read(ref _scrapes)}}
        # HELP istio_agent_scrape_failures_total How often a source of these metrics did not answer.
        # TYPE istio_agent_scrape_failures_total counter
        istio_agent_scrape_failures_total{type="application"} {{Interlocked.Read(ref _applicationFailures)}}
        istio_agent_scrape_failures_total{type="envoy"} {{Interlocked.Read(ref _proxyFailures)}}
        {{Lifetime()}}
        """);

    // Negative once it is over.
    private string Lifetime() => _expiry() is not { } expiry ? "" : string.Create(CultureInfo.InvariantCulture, $$"""
        # HELP istio_agent_cert_expiry_seconds How long the workload's certificate is still valid, in seconds.
        # TYPE istio_agent_cert_expiry_seconds gauge
        istio_agent_cert_expiry_seconds{resource_name="default"} {{(expiry - DateTimeOffset.UtcNow).TotalSeconds:0}}

        """);

    private async Task<string> ScrapeProxyAsync(HttpContext context, CancellationToken stop)
    {
        var uri = new UriBuilder(_proxy) { Query = context.Request.QueryString.Value }.Uri;
        if (await ScrapeAsync(uri, AcceptHeader.TextOnly, context, stop).ConfigureAwait(false) is { } scrape)
            return WithoutEnd(scrape.Text);
        Interlocked.Increment(ref _proxyFailures);
        return "";
    }

    private async Task<Scrape?> ScrapeAsync(MetricsTarget target, HttpContext context, CancellationToken stop)
    {
        var uri = new Uri($"http://localhost:{target.Port.ToString(CultureInfo.InvariantCulture)}{target.Path}");
        var accept = AcceptHeader.ForApplication((string?)context.Request.Headers.Accept);
        var scrape = await ScrapeAsync(uri, accept, context, stop).ConfigureAwait(false);
        if (scrape is null)
            Interlocked.Increment(ref _applicationFailures);
        return scrape;
    }

    private async Task<Scrape?> ScrapeAsync(Uri uri, string accept, HttpContext context, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        foreach (var name in (string[])["User-Agent", "X-Prometheus-Scrape-Timeout-Seconds"])
        {
            if (context.Request.Headers.TryGetValue(name, out var value))
                request.Headers.TryAddWithoutValidation(name, (string?)value);
        }
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, stop).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                return null;
            var type = response.Content.Headers.TryGetValues("Content-Type", out var types) ? types.First() : "";
            return new Scrape(type, await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private sealed record Scrape(string Type, string Text);
}
