using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>One span of a trace; a span that is not sampled takes calls and does nothing (but still injects context where its tracer asks).</summary>
public interface ISpan
{
    /// <summary>What the HCM that began the trace wants of its spans; null where nothing is traced.</summary>
    SpanSettings? Settings { get; }

    /// <summary>What the span is told reaches a collector: false saves making tags.</summary>
    bool Records { get; }

    void SetOperation(string operation);

    void SetTag(string name, string value);

    void Log(DateTime time, string text);

    void Finish();

    /// <summary>Writes the trace context into the headers of an upstream request.</summary>
    void InjectContext(HeaderMap headers, Upstream.Host? host);

    ISpan SpawnChild(string operation, DateTime start);

    void SetSampled(bool sampled);

    string TraceId { get; }

    string SpanId { get; }
}
