namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>Decides in place of the proxy which traces are sampled.</summary>
internal interface ISampler
{
    bool Decide(TraceContext? parent, ulong traceLow, in LogContext context);
}
