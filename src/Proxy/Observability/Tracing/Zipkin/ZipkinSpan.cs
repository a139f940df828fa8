using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>A span of the Zipkin tracer.</summary>
internal sealed class ZipkinSpan : TracedSpan
{
    private readonly ZipkinTracer _tracer;
    private readonly B3Context _context;

    public ZipkinSpan(
        ZipkinTracer tracer, SpanSettings settings, string operation, DateTime start, bool isServer, in B3Context context)
        : base(settings, operation, start)
    {
        _tracer = tracer;
        _context = context;
        IsServer = isServer;
        Sampled = context.Sampled == true;
    }

    public bool IsServer { get; }

    public ulong ParentId => _context.Parent;

    public override string TraceId =>
        _context.TraceHigh == 0 ? TraceIds.Text(_context.TraceLow) : TraceIds.Text(_context.TraceHigh) + TraceIds.Text(_context.TraceLow);

    public override string SpanId => TraceIds.Text(_context.Span);

    public B3Context Context => _context;

    // Zipkin knows no empty tags.
    public override void SetTag(string name, string value)
    {
        if (value.Length > 0)
        {
            base.SetTag(name, value);
        }
    }

    public override void InjectContext(HeaderMap headers, Upstream.Host? host)
    {
        (_context with { Sampled = Sampled }).Write(headers);
        if (_tracer.InjectsW3C)
        {
            new TraceContext(_context.TraceHigh, _context.TraceLow, _context.Span, Sampled, "").Write(headers);
        }
    }

    public override ISpan SpawnChild(string operation, DateTime start) => new ZipkinSpan(_tracer, Settings!, operation, start, isServer: false,
        _context with { Span = TraceIds.New(), Parent = _context.Span, Sampled = Sampled });

    protected override void Report() => _tracer.Report(this);
}
