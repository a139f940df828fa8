using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Proxy.Transport;
using SpanKind = Opentelemetry.Proto.Trace.V1.Span.SpanKind;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>trace.v3.OpenTelemetryConfig: W3C contexts, spans sent by OTLP.</summary>
internal sealed class OpenTelemetryTracer : ITracer
{
    /// <summary>Envoy's default of max_cache_size.</summary>
    public const int DefaultMaxKept = 1024;

    public static readonly StatBlockLayout Layout = new(
    [
        ("spans_sent", StatKind.Counter),
        ("spans_dropped", StatKind.Counter),
        ("timer_flushed", StatKind.Counter),
    ]);

    private readonly StatBlock _stats;
    private readonly SpanQueues<OpenTelemetrySpan> _queues;
    private readonly SpanRequests _requests;
    private readonly OtlpExporter _exporter;
    private readonly ISampler? _sampler;

    /// <param name="sampler">Null: the proxy's own decision, and the caller's.</param>
    public OpenTelemetryTracer(
        StatBlock stats, IReadOnlyList<EventLoop> workers, IRuntime runtime, int maxKept, SpanRequests requests, OtlpExporter exporter, ISampler? sampler)
    {
        _stats = stats;
        _requests = requests;
        _exporter = exporter;
        _sampler = sampler;
        _queues = new SpanQueues<OpenTelemetrySpan>(
            workers, runtime, "tracing.opentelemetry", maxKept, Send, () => _stats.Inc(2), () => _stats.Inc(1));
    }

    public ISpan StartSpan(SpanSettings settings, HeaderMap requestHeaders, StreamInfo info, bool traced)
    {
        var parent = TraceContext.Read(requestHeaders, out var valid);
        if (!valid)
        {
            return NullSpan.Instance;
        }
        var operation = settings.IsEgress ? $"egress {requestHeaders.GetString(KnownHeader.Authority)}" : "ingress";
        var kind = settings.IsEgress && !settings.SpawnsUpstreamSpan ? SpanKind.Client : SpanKind.Server;
        var high = parent?.TraceHigh ?? TraceIds.New();
        var low = parent?.TraceLow ?? TraceIds.New();
        var sample = _sampler is { } sampler
            ? sampler.Decide(parent, low, new LogContext(requestHeaders, null, null, info))
            : traced && parent is not { Sampled: false };
        return new OpenTelemetrySpan(
            this, settings, operation, info.StartTime, kind, high, low, parent?.Span ?? 0, parent?.State ?? "", sample);
    }

    public void Report(OpenTelemetrySpan span) => _queues.Add(span);

    private void Send(List<OpenTelemetrySpan> spans)
    {
        _stats.Add(0, spans.Count);
        _exporter.Send(_requests.Build(spans), static _ => { });
    }
}
