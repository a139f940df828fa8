using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>`http2.*`: what HTTP/2 codecs count; one a scope (the server's for listeners, `cluster.…` for backends).</summary>
public sealed class Http2Stats(IStatsScope scope)
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("http2.dropped_headers_with_underscores", StatKind.Counter),
        ("http2.goaway_sent", StatKind.Counter),
        ("http2.header_overflow", StatKind.Counter),
        ("http2.headers_cb_no_stream", StatKind.Counter),
        ("http2.inbound_empty_frames_flood", StatKind.Counter),
        ("http2.inbound_priority_frames_flood", StatKind.Counter),
        ("http2.inbound_window_update_frames_flood", StatKind.Counter),
        ("http2.keepalive_timeout", StatKind.Counter),
        ("http2.metadata_empty_frames", StatKind.Counter),
        ("http2.outbound_control_flood", StatKind.Counter),
        ("http2.outbound_flood", StatKind.Counter),
        ("http2.requests_rejected_with_underscores_in_headers", StatKind.Counter),
        ("http2.rx_messaging_error", StatKind.Counter),
        ("http2.rx_reset", StatKind.Counter),
        ("http2.stream_refused_errors", StatKind.Counter),
        ("http2.trailers", StatKind.Counter),
        ("http2.tx_flush_timeout", StatKind.Counter),
        ("http2.tx_reset", StatKind.Counter),
        ("http2.deferred_stream_close", StatKind.Gauge),
        ("http2.outbound_control_frames_active", StatKind.Gauge),
        ("http2.outbound_frames_active", StatKind.Gauge),
        ("http2.pending_send_bytes", StatKind.Gauge),
        ("http2.streams_active", StatKind.Gauge),
    ]);

    private readonly StatBlock _block = scope.Block(Layout);

    internal enum Stat
    {
        DroppedHeadersWithUnderscores,
        GoAwaySent,
        HeaderOverflow,
        HeadersWithoutStream,
        InboundEmptyFramesFlood,
        InboundPriorityFramesFlood,
        InboundWindowUpdateFramesFlood,
        KeepaliveTimeout,
        MetadataEmptyFrames,
        OutboundControlFlood,
        OutboundFlood,
        RejectedWithUnderscores,
        RxMessagingError,
        RxReset,
        StreamRefusedErrors,
        Trailers,
        TxFlushTimeout,
        TxReset,
        DeferredStreamClose,
        OutboundControlFramesActive,
        OutboundFramesActive,
        PendingSendBytes,
        StreamsActive,
    }

    internal void Inc(Stat stat) => _block.Inc((int)stat);

    internal void Add(Stat stat, long amount) => _block.Add((int)stat, amount);
}
