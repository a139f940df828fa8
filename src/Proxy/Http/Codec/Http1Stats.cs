using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>`http1.*`: what HTTP/1 codecs count; one a scope (the server's for listeners, `cluster.…` for backends).</summary>
public sealed class Http1Stats(IStatsScope scope)
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("http1.dropped_headers_with_underscores", StatKind.Counter),
        ("http1.metadata_not_supported_error", StatKind.Counter),
        ("http1.requests_rejected_with_underscores_in_headers", StatKind.Counter),
        ("http1.response_flood", StatKind.Counter),
    ]);

    private readonly StatBlock _block = scope.Block(Layout);

    internal void DroppedHeaderWithUnderscore() => _block.Inc(0);

    internal void RejectedForUnderscore() => _block.Inc(2);

    internal void ResponseFlood() => _block.Inc(3);
}
