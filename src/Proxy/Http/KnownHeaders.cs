namespace MeshProxy.Proxy.Http;

/// <summary>Names of <see cref="KnownHeader"/> and the way back from a name.</summary>
public static class KnownHeaders
{
    private static readonly byte[][] Names = BuildNames();

    private static readonly Dictionary<string, KnownHeader> ByName = BuildIndex();

    private static readonly Dictionary<string, KnownHeader>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        ByName.GetAlternateLookup<ReadOnlySpan<char>>();

    public const int Count = (int)KnownHeader.Http2Settings + 1;

    /// <summary>The lower-case name; `:method` style for pseudo headers.</summary>
    public static ReadOnlySpan<byte> Name(KnownHeader header) => Names[(int)header];

    /// <summary>Finds a header by name in any case; <see cref="KnownHeader.None"/> if the proxy has no slot for it.</summary>
    public static KnownHeader Find(ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > 64)
        {
            return KnownHeader.None;
        }
        Span<char> lower = stackalloc char[name.Length];
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            lower[i] = (char)(c is >= (byte)'A' and <= (byte)'Z' ? c | 0x20 : c);
        }
        return Lookup.TryGetValue(lower, out var header) ? header : KnownHeader.None;
    }

    private static Dictionary<string, KnownHeader> BuildIndex()
    {
        var index = new Dictionary<string, KnownHeader>(StringComparer.Ordinal);
        for (var i = 1; i < Count; i++)
        {
            index[System.Text.Encoding.ASCII.GetString(Names[i])] = (KnownHeader)i;
        }
        return index;
    }

    private static byte[][] BuildNames()
    {
        var names = new byte[Count][];
        names[0] = [];
        ReadOnlySpan<string> text =
        [
            ":method", ":path", ":authority", ":scheme", ":status", ":protocol", "connection", "content-length", "content-type",
            "transfer-encoding", "upgrade", "keep-alive", "proxy-connection", "te", "trailer", "expect", "date", "server", "via",
            "user-agent", "accept", "accept-encoding", "content-encoding", "cache-control", "vary", "etag", "cookie", "set-cookie",
            "location", "origin", "referer", "authorization", "host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
            "x-forwarded-port", "x-forwarded-client-cert", "x-request-id", "x-client-trace-id", "x-b3-traceid", "x-b3-spanid",
            "traceparent", "tracestate", "grpc-status", "grpc-message", "grpc-timeout", "grpc-accept-encoding",
            "x-envoy-external-address", "x-envoy-internal", "x-envoy-force-trace", "x-envoy-downstream-service-cluster",
            "x-envoy-downstream-service-node", "x-envoy-original-path", "x-envoy-original-host", "x-envoy-original-url",
            "x-envoy-original-method", "x-envoy-original-dst-host", "x-envoy-max-retries", "x-envoy-retry-on",
            "x-envoy-retry-grpc-on", "x-envoy-retriable-status-codes", "x-envoy-retriable-header-names",
            "x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms", "x-envoy-upstream-stream-duration-ms",
            "x-envoy-upstream-alt-stat-name", "x-envoy-upstream-service-time", "x-envoy-upstream-healthchecked-cluster",
            "x-envoy-upstream-canary", "x-envoy-immediate-health-check-fail", "x-envoy-degraded", "x-envoy-overloaded",
            "x-envoy-ratelimited", "x-envoy-local-overloaded", "x-envoy-decorator-operation", "x-envoy-attempt-count",
            "x-envoy-expected-rq-timeout-ms", "x-envoy-hedge-on-per-try-timeout", "x-envoy-ip-tags", "x-envoy-peer-metadata",
            "x-envoy-peer-metadata-id", "access-control-request-method", "access-control-request-headers",
            "access-control-allow-origin", "retry-after", "http2-settings",
        ];
        for (var i = 0; i < text.Length; i++)
        {
            names[i + 1] = System.Text.Encoding.ASCII.GetBytes(text[i]);
        }
        return names;
    }
}
