namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <param name="LongTraceIds">trace_id_128bit.</param>
/// <param name="SharesSpan">shared_span_context: client and server have one span.</param>
/// <param name="WithW3C">trace_context_option USE_B3_WITH_W3C_PROPAGATION.</param>
internal sealed record ZipkinOptions(bool LongTraceIds, bool SharesSpan, bool WithW3C);
