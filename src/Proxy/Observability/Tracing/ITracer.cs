using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>Makes the spans of a provider (OpenTelemetry, Zipkin, …); shared by all loops.</summary>
public interface ITracer
{
    /// <summary>Starts the span of a request, continuing the trace its headers name.</summary>
    /// <param name="traced">The proxy's own decision; the span may be kept unsampled.</param>
    ISpan StartSpan(SpanSettings settings, HeaderMap requestHeaders, StreamInfo info, bool traced);
}
