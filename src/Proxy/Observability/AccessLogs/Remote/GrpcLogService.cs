using Envoy.Service.Accesslog.V3;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>
/// A log kept by an access log service: one stream and one batch a loop (Envoy's GrpcAccessLogger). Who we are is said in the
/// first message of a stream; a stream that ended is opened again by the next batch.
/// </summary>
internal sealed class GrpcLogService(
    GrpcAsyncClient client, StreamAccessLogsMessage.Identifier identifier, GrpcLogKind kind, BatchSettings settings,
    AsyncRequestOptions options, StatBlock stats, IReadOnlyList<EventLoop> workers)
{
    private const string Service = "envoy.service.accesslog.v3.AccessLogService";
    private const string Method = "StreamAccessLogs";

    /// <summary>Field `identifier` of StreamAccessLogsMessage.</summary>
    private const int IdentifierField = 1;

    /// <summary>Field `log_entry` of its lists.</summary>
    private const int EntryField = 1;

    private readonly byte[] _identifier = identifier.Message.ToBytes();
    private readonly Batch?[] _batches = new Batch?[workers.Count + 1];

    /// <summary>From any loop.</summary>
    public void Add(Message entry)
    {
        var loop = EventLoop.Current!;
        (_batches[loop.Index] ??= new Batch(this, loop)).Add(entry);
    }

    private sealed class Batch(GrpcLogService owner, EventLoop loop)
        : LogBatch(loop, owner.Settings, EntryField), IGrpcStreamCallbacks
    {
        private GrpcAsyncStream? _stream;

        public void OnMessage(ReadOnlyMemory<byte> message)
        {
        }

        public void OnClosed(int status, string message) => _stream = null;

        protected override void OnAdded() => owner.Stats.Add(RemoteLogStat.LogsWritten);

        protected override void OnDropped() => owner.Stats.Add(RemoteLogStat.LogsDropped);

        protected override bool Send(ReadOnlySpan<byte> entries, int count)
        {
            var first = _stream is null;
            // A stream may end while it is opened: then the callback was called before we hold it.
            if (first && owner.Start(this) is { IsOpen: true } opened)
            {
                _stream = opened;
            }
            if (_stream is not { IsAboveWriteBufferHighWatermark: false } stream)
            {
                owner.Stats.Add(RemoteLogStat.GrpcEntriesFlushFailed, count);
                return false;
            }
            stream.Send(owner.Envelope(entries, first));
            owner.Stats.Add(RemoteLogStat.GrpcEntriesFlushed, count);
            return true;
        }
    }

    private BatchSettings Settings => settings;

    private StatBlock Stats => stats;

    private GrpcAsyncStream? Start(IGrpcStreamCallbacks callbacks) => client.Start(Service, Method, callbacks, options);

    private byte[] Envelope(ReadOnlySpan<byte> entries, bool identified)
    {
        var writer = new WireWriter();
        try
        {
            Wrap(ref writer, entries, (int)kind);
            if (identified)
            {
                Wrap(ref writer, _identifier, IdentifierField);
            }
            return writer.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    private static void Wrap(ref WireWriter writer, ReadOnlySpan<byte> bytes, int field)
    {
        writer.WriteBytes(bytes);
        writer.WriteVarint((uint)bytes.Length);
        writer.WriteTag(field, WireType.LengthDelimited);
    }
}
