using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>The span of a request that nobody traces.</summary>
public sealed class NullSpan : ISpan
{
    public static readonly NullSpan Instance = new();

    public SpanSettings? Settings => null;

    public bool Records => false;

    public string TraceId => "";

    public string SpanId => "";

    public void SetOperation(string operation)
    {
    }

    public void SetTag(string name, string value)
    {
    }

    public void Log(DateTime time, string text)
    {
    }

    public void Finish()
    {
    }

    public void InjectContext(HeaderMap headers, Upstream.Host? host)
    {
    }

    public ISpan SpawnChild(string operation, DateTime start) => this;

    public void SetSampled(bool sampled)
    {
    }
}
