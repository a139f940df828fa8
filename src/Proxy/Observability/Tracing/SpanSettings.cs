namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>HttpConnectionManager.tracing as spans see it, compiled.</summary>
public sealed class SpanSettings
{
    /// <summary>Envoy's default of max_path_tag_length.</summary>
    public const int DefaultMaxPathLength = 256;

    /// <summary>The listener's direction is outbound: the proxy is the client's.</summary>
    public bool IsEgress { get; init; }

    /// <summary>spawn_upstream_span: each attempt has a span of its own, and the first one is a server's in either direction.</summary>
    public bool SpawnsUpstreamSpan { get; init; }

    /// <summary>Bytes of the path that `http.url` shows.</summary>
    public int MaxPathLength { get; init; } = DefaultMaxPathLength;

    /// <summary>Spans tell when bytes came and went.</summary>
    public bool Verbose { get; init; }

    /// <summary>no_context_propagation is not set.</summary>
    public bool PropagatesContext { get; init; } = true;

    public SpanNaming Naming { get; init; } = SpanNaming.None;

    public string NodeId { get; init; } = "";

    public string Zone { get; init; } = "";
}
