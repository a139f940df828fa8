using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Proxy.Server;
using Opentelemetry.Proto.Collector.Trace.V1;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Resource.V1;
using Opentelemetry.Proto.Trace.V1;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>Makes export requests of spans.</summary>
/// <param name="resource">Who sends; the same in all requests.</param>
/// <param name="namesScope">Spans are said to be `envoy`'s (set_instrumentation_scope).</param>
internal sealed class SpanRequests(Resource resource, bool namesScope)
{
    public byte[] Build(List<OpenTelemetrySpan> spans)
    {
        var scoped = ScopeSpans.New();
        if (namesScope)
        {
            var scope = InstrumentationScope.New();
            scope.Name = "envoy";
            scope.Version = ServerVersion.EnvoyCompatible;
            scoped.Scope = scope;
        }
        foreach (var span in spans)
        {
            scoped.Spans.Add(Convert(span));
        }
        var group = ResourceSpans.New();
        group.Resource = resource;
        group.ScopeSpans.Add(scoped);
        var request = ExportTraceServiceRequest.New();
        request.ResourceSpans.Add(group);
        return request.Message.ToBytes();
    }

    private static Span Convert(OpenTelemetrySpan span)
    {
        var message = Span.New();
        message.TraceId = OtlpAttributes.Bytes(span.TraceHigh, span.TraceLow);
        message.SpanId = OtlpAttributes.Bytes(span.Id);
        if (span.Parent != 0)
        {
            message.ParentSpanId = OtlpAttributes.Bytes(span.Parent);
        }
        message.TraceState = span.State;
        message.Name = span.Operation;
        message.Kind = span.Kind;
        message.StartTimeUnixNano = OtlpAttributes.UnixNanoseconds(span.Start);
        message.EndTimeUnixNano = OtlpAttributes.UnixNanoseconds(span.End);
        foreach (var (name, value) in span.Tags)
        {
            OtlpAttributes.Add(message.Attributes, name, value);
        }
        foreach (var (time, text) in span.Events)
        {
            var moment = Span.Event.New();
            moment.TimeUnixNano = OtlpAttributes.UnixNanoseconds(time);
            moment.Name = text;
            message.Events.Add(moment);
        }
        if (span.Status != Status.StatusCode.Unset)
        {
            var status = Status.New();
            status.Code = span.Status;
            message.Status = status;
        }
        return message;
    }
}
