using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>trace.v3.ZipkinConfig: B3 contexts, spans posted to a Zipkin collector.</summary>
internal sealed class ZipkinTracer : ITracer
{
    /// <summary>Spans of a loop that a collector takes too slowly are given up beyond this; Envoy sends every batch at once.</summary>
    private const int MaxKept = 1024;

    public static readonly StatBlockLayout Layout = new(
    [
        ("spans_sent", StatKind.Counter),
        ("timer_flushed", StatKind.Counter),
        ("reports_skipped_no_cluster", StatKind.Counter),
        ("reports_sent", StatKind.Counter),
        ("reports_dropped", StatKind.Counter),
        ("reports_failed", StatKind.Counter),
    ]);

    private const int SpansSent = 0;
    private const int TimerFlushed = 1;
    private const int SkippedNoCluster = 2;
    private const int Sent = 3;
    private const int Dropped = 4;
    private const int Failed = 5;

    private readonly ZipkinOptions _options;
    private readonly StatBlock _stats;
    private readonly HttpServiceClient _collector;
    private readonly ZipkinSpanWriter _writer;
    private readonly SpanQueues<ZipkinSpan> _queues;

    public ZipkinTracer(ZipkinOptions options, StatBlock stats, IReadOnlyList<EventLoop> workers, IRuntime runtime, HttpServiceClient collector,
        ZipkinSpanWriter writer)
    {
        _options = options;
        _stats = stats;
        _collector = collector;
        _writer = writer;
        _queues = new SpanQueues<ZipkinSpan>(
            workers, runtime, "tracing.zipkin", MaxKept, Send, () => _stats.Inc(TimerFlushed), static () => { });
    }

    /// <summary>USE_B3_WITH_W3C_PROPAGATION: backends that know only W3C's context see it too.</summary>
    public bool InjectsW3C => _options.WithW3C;

    public ISpan StartSpan(SpanSettings settings, HeaderMap requestHeaders, StreamInfo info, bool traced)
    {
        var given = B3Context.Read(requestHeaders, out var valid);
        if (valid && given is null && _options.WithW3C && TraceContext.Read(requestHeaders, out valid) is { } w3c)
        {
            given = new B3Context(w3c.TraceHigh, w3c.TraceLow, w3c.Span, 0, w3c.Sampled, false);
        }
        if (!valid)
        {
            return NullSpan.Instance;
        }
        var isServer = !settings.IsEgress || settings.SpawnsUpstreamSpan;
        var operation = requestHeaders.GetString(KnownHeader.Authority) ?? "";
        return new ZipkinSpan(this, settings, operation, info.StartTime, isServer, ContextOf(given, isServer, traced));
    }

    public void Report(ZipkinSpan span) => _queues.Add(span);

    private B3Context ContextOf(B3Context? given, bool isServer, bool traced)
    {
        var sampled = given?.Sampled ?? traced;
        if (given is not { HasIds: true } parent)
        {
            var id = TraceIds.New();
            var high = _options.LongTraceIds ? TraceIds.New() : 0;
            return new B3Context(high, id, id, 0, sampled, given?.IsSingle ?? false);
        }
        // A server shares the span that its client began, where that is wanted.
        return isServer && _options.SharesSpan
            ? parent with { Sampled = sampled }
            : parent with { Span = TraceIds.New(), Parent = parent.Span, Sampled = sampled };
    }

    private void Send(List<ZipkinSpan> spans)
    {
        _stats.Add(SpansSent, spans.Count);
        if (_collector.Post(_writer.Write(spans), new Posted(_stats)))
        {
            return;
        }
        _stats.Inc(SkippedNoCluster);
    }

    private sealed class Posted(StatBlock stats) : IAsyncRequestCallbacks
    {
        public void OnSuccess(HeaderMap responseHeaders, ByteBuffer body, HeaderMap? trailers) =>
            stats.Inc(HeaderUtility.Status(responseHeaders) == 202 ? Sent : Dropped);

        public void OnFailure(string reason) => stats.Inc(Failed);
    }
}
