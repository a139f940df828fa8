using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Opentelemetry.Proto.Collector.Logs.V1;
using Opentelemetry.Proto.Logs.V1;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>A log kept by an OpenTelemetry collector: one batch a loop, each sent as an export request of its own.</summary>
/// <param name="resource">Who we are; the same in all requests.</param>
internal sealed class OtlpLogService(
    OtlpExporter exporter, ResourceLogs resource, BatchSettings settings, StatBlock stats, IReadOnlyList<EventLoop> workers)
{
    public const string Service = "opentelemetry.proto.collector.logs.v1.LogsService";

    /// <summary>Field `resource_logs` of ExportLogsServiceRequest.</summary>
    private const int ResourceLogsField = 1;

    /// <summary>Field `scope_logs` of ResourceLogs.</summary>
    private const int ScopeLogsField = 2;

    /// <summary>Field `log_records` of ScopeLogs.</summary>
    private const int RecordField = 2;

    private readonly byte[] _resource = resource.Message.ToBytes();
    private readonly Batch?[] _batches = new Batch?[workers.Count + 1];

    /// <summary>From any loop.</summary>
    public void Add(LogRecord record)
    {
        var loop = EventLoop.Current!;
        (_batches[loop.Index] ??= new Batch(this, loop)).Add(record.Message);
    }

    private BatchSettings Settings => settings;

    private void Send(ReadOnlySpan<byte> records, int count) => exporter.Send(Request(records), answer => Count(answer, count));

    private void Count(ReadOnlyMemory<byte>? answer, int count)
    {
        var rejected = answer is { } taken ? Math.Clamp(Rejected(taken), 0, count) : count;
        stats.Add(RemoteLogStat.LogsWritten, count - rejected);
        stats.Add(RemoteLogStat.LogsDropped, rejected);
    }

    // An answer that cannot be read takes nothing back.
    private static long Rejected(ReadOnlyMemory<byte> answer)
    {
        try
        {
            return Message.Parse<ExportLogsServiceResponse>(answer.Span).PartialSuccess?.RejectedLogRecords ?? 0;
        }
        catch (ProtobufException)
        {
            return 0;
        }
    }

    private byte[] Request(ReadOnlySpan<byte> records)
    {
        var writer = new WireWriter();
        try
        {
            writer.WriteBytes(records);
            writer.WriteVarint((uint)records.Length);
            writer.WriteTag(ScopeLogsField, WireType.LengthDelimited);
            writer.WriteBytes(_resource);
            writer.WriteVarint((uint)writer.Length);
            writer.WriteTag(ResourceLogsField, WireType.LengthDelimited);
            return writer.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    private sealed class Batch(OtlpLogService owner, EventLoop loop) : LogBatch(loop, owner.Settings, RecordField)
    {
        protected override bool Send(ReadOnlySpan<byte> entries, int count)
        {
            owner.Send(entries, count);
            return true;
        }

        // A batch is always taken, so that there is always room.
        protected override void OnDropped()
        {
        }
    }
}
