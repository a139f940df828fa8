namespace MeshProxy.Bench.Load;

/// <summary>Work that every peer does in the same way.</summary>
/// <param name="Name">As given to --only.</param>
/// <param name="Title">What is measured, for the report.</param>
/// <param name="Load">What the clients speak.</param>
/// <param name="Folder">The folder of configurations/ with a file HOP.PEER for each process of each peer.</param>
/// <param name="Hops">The processes in the order of a request; the last one calls the backend.</param>
internal sealed record Scenario(string Name, string Title, LoadKind Load, string Folder, params string[] Hops)
{
    /// <summary>The configuration of meshproxy and Envoy where it is made from istiod's captured resources.</summary>
    public Func<CapturedResources, string>? Captured { get; init; }

    /// <summary>The ratio to <see cref="Against"/> in CPU per request that is to be kept; null: shown alone.</summary>
    public double? Target { get; init; }

    /// <summary>The backend is called by HTTP/2.</summary>
    public bool BackendHttp2 { get; init; }

    public PeerKind Against { get; init; } = PeerKind.Nginx;

    public static readonly Scenario[] All =
    [
        new("http1", "HTTP/1.1", LoadKind.Http1, "http1", "proxy") { Target = 1.0 },
        new("istio-outbound", "HTTP/1.1, istiod's outbound listener (nginx and HAProxy: plain)", LoadKind.Http1, "http1", "proxy")
        {
            Captured = static resources => resources.Outbound(),
            Target = 1.4,
        },
        new("istio-inbound", "HTTP/1.1, istiod's inbound filter chain (nginx and HAProxy: plain)", LoadKind.Http1, "http1", "proxy")
        {
            Captured = static resources => resources.Inbound(),
            Target = 1.4,
        },
        new("tls", "TLS 1.3 from the client, HTTP/1.1", LoadKind.Https1, "tls", "proxy") { Target = 1.25 },
        new("two-hops", "two hops with mutual TLS 1.3 between, HTTP/1.1", LoadKind.Http1, "two-hops", "client", "server") { Target = 1.25 },
        new("http2", "HTTP/2 (h2c) from the client, HTTP/1.1 to the backend", LoadKind.Http2, "http2", "proxy"),
        new("http2-both", "HTTP/2 (h2c) on both sides", LoadKind.Http2, "http2-both", "proxy") { BackendHttp2 = true, Against = PeerKind.HaProxy },
        new("tcp", "TCP (HTTP/1.1 passed through)", LoadKind.Http1, "tcp", "proxy") { Target = 1.0, Against = PeerKind.HaProxy },
        new("access-log", "HTTP/1.1 with Istio's access log to a file", LoadKind.Http1, "access-log", "proxy"),
    ];
}
