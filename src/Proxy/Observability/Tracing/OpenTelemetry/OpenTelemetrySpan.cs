using MeshProxy.Proxy.Http;
using SpanKind = Opentelemetry.Proto.Trace.V1.Span.SpanKind;
using StatusCode = Opentelemetry.Proto.Trace.V1.Status.StatusCode;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>A span of the OpenTelemetry tracer.</summary>
internal sealed class OpenTelemetrySpan : TracedSpan
{
    private readonly OpenTelemetryTracer _tracer;

    public OpenTelemetrySpan(OpenTelemetryTracer tracer, SpanSettings settings, string operation, DateTime start, SpanKind kind,
        ulong traceHigh, ulong traceLow, ulong parent, string state, bool sampled)
        : base(settings, operation, start)
    {
        _tracer = tracer;
        Kind = kind;
        TraceHigh = traceHigh;
        TraceLow = traceLow;
        Parent = parent;
        State = state;
        Sampled = sampled;
    }

    public ulong TraceHigh { get; }

    public ulong TraceLow { get; }

    public ulong Id { get; } = TraceIds.New();

    /// <summary>0 without.</summary>
    public ulong Parent { get; }

    public string State { get; }

    public SpanKind Kind { get; }

    public StatusCode Status { get; private set; }

    public override string TraceId => TraceIds.Text(TraceHigh) + TraceIds.Text(TraceLow);

    public override string SpanId => TraceIds.Text(Id);

    /// <summary>https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status: 4xx is the client's error only.</summary>
    public override void SetTag(string name, string value)
    {
        if (name == "http.status_code" && int.TryParse(value, out var code)
            && (code >= 500 || (code >= 400 && Kind == SpanKind.Client)))
        {
            Status = StatusCode.Error;
        }
        else if (name == "error")
        {
            Status = StatusCode.Error;
        }
        base.SetTag(name, value);
    }

    public override void InjectContext(HeaderMap headers, Upstream.Host? host)
    {
        new TraceContext(TraceHigh, TraceLow, Id, Sampled, State).Write(headers);
        headers.Set(KnownHeader.TraceState, State);
    }

    public override ISpan SpawnChild(string operation, DateTime start) =>
        new OpenTelemetrySpan(_tracer, Settings!, operation, start, SpanKind.Client, TraceHigh, TraceLow, Id, State, Sampled);

    protected override void Report() => _tracer.Report(this);
}
