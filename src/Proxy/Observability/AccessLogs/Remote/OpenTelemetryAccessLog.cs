using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Proxy.Observability.Tracing;
using Opentelemetry.Proto.Logs.V1;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig: exchanges as records of OpenTelemetry.</summary>
/// <param name="body">Null leaves it out.</param>
internal sealed class OpenTelemetryAccessLog(
    OtlpLogService service, OtlpValueFormat? body, OtlpFieldFormat[] attributes, string[] filterStateKeys, CustomSpanTag[] tags)
    : IAccessLog
{
    private const int TraceIdDigits = 32;

    public void Log(in LogContext context)
    {
        var info = context.StreamInfo;
        var record = LogRecord.New();
        record.TimeUnixNano = OtlpAttributes.UnixNanoseconds(info.StartTime);
        record.Body = body?.Format(context);
        foreach (var attribute in attributes)
        {
            record.Attributes.Add(attribute.Format(context));
        }
        AddTrace(record, info);
        AddFilterState(record, info);
        foreach (var tag in tags)
        {
            if (tag.Value(context) is { Length: > 0 } value)
            {
                OtlpAttributes.Add(record.Attributes, tag.Name, value);
            }
        }
        service.Add(record);
    }

    // Shorter identifiers (64 bits) are made long: collectors take no others.
    private static void AddTrace(LogRecord record, StreamInfo info)
    {
        if (info.TraceId.Length > 0)
        {
            record.TraceId = Convert.FromHexString(info.TraceId.PadLeft(TraceIdDigits, '0'));
        }
        if (info.SpanId.Length > 0)
        {
            record.SpanId = Convert.FromHexString(info.SpanId);
        }
    }

    private void AddFilterState(LogRecord record, StreamInfo info)
    {
        foreach (var key in filterStateKeys)
        {
            if (CommonProperties.Find(info, key)?.ToJson() is { } value)
            {
                OtlpAttributes.Add(record.Attributes, key, value);
            }
        }
    }
}
