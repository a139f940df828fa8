using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace MeshProxy.Proxy.Http;

/// <summary>Names of <see cref="KnownHeader"/> and the way back from a name.</summary>
public static class KnownHeaders
{
    private const int IndexBits = 10;

    private static readonly byte[][] Names = BuildNames();

    private static readonly ulong Seed = FindSeed();

    private static readonly byte[] Index = BuildIndex();

    private static readonly bool[] Joined = BuildJoined();

    public const int Count = (int)KnownHeader.Http2Settings + 1;

    /// <summary>The lower-case name; `:method` style for pseudo headers.</summary>
    public static ReadOnlySpan<byte> Name(KnownHeader header) => Names[(int)header];

    /// <summary>Finds a header by name in any case; <see cref="KnownHeader.None"/> if the proxy has no slot for it.</summary>
    public static KnownHeader Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return KnownHeader.None;
        }
        var candidate = Index[Mix(name, Seed)];
        return candidate != 0 && Ascii.EqualsIgnoreCase(name, Names[candidate]) ? (KnownHeader)candidate : KnownHeader.None;
    }

    /// <summary>As <see cref="Find"/>, for names that count only in lower case (HTTP/2).</summary>
    internal static KnownHeader FindLower(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            return KnownHeader.None;
        }
        var candidate = Index[Mix(name, Seed)];
        return candidate != 0 && name.SequenceEqual(Names[candidate]) ? (KnownHeader)candidate : KnownHeader.None;
    }

    /// <summary>Whether the header is one of the pseudo headers, which come first in <see cref="KnownHeader"/>.</summary>
    public static bool IsPseudo(this KnownHeader header) => header is >= KnownHeader.Method and <= KnownHeader.Protocol;

    /// <summary>
    /// Whether repeated lines of the header are joined to one value on receipt (Envoy's O(1) headers), the parts
    /// separated by a comma. Others stay separate lines.
    /// </summary>
    public static bool IsJoined(KnownHeader header) => Joined[(int)header];

    // Name, length and three samples of a name, case folded, tell all known names apart; the seed is searched at start.
    private static int Mix(ReadOnlySpan<byte> name, ulong seed)
    {
        const ulong fold = 0x2020202020202020;
        ref var start = ref MemoryMarshal.GetReference(name);
        var length = name.Length;
        ulong first, last, middle = 0;
        if (length >= 8)
        {
            first = Unsafe.ReadUnaligned<ulong>(ref start);
            last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, length - 8));
            middle = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, (length / 2) - 4));
        }
        else if (length >= 4)
        {
            first = Unsafe.ReadUnaligned<uint>(ref start);
            last = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, length - 4));
        }
        else
        {
            first = start;
            last = Unsafe.Add(ref start, length - 1);
        }
        var mixed = (first | fold) + BitOperations.RotateLeft((last | fold) * 0x9E3779B97F4A7C15, 23)
            + BitOperations.RotateLeft((middle | fold) * 0xC2B2AE3D27D4EB4F, 41) + (ulong)length;
        return (int)((mixed * seed) >> (64 - IndexBits));
    }

    // About one odd multiplier in thirty leaves 1024 places without a collision for some 90 names.
    private static ulong FindSeed()
    {
        var taken = new bool[1 << IndexBits];
        for (var seed = 0x9E3779B97F4A7C15UL; ; seed = (seed * 6364136223846793005UL) + 1442695040888963406UL)
        {
            Array.Clear(taken);
            if (Fits(seed | 1, taken))
            {
                return seed | 1;
            }
        }
    }

    private static bool Fits(ulong seed, bool[] taken)
    {
        for (var i = 1; i < Count; i++)
        {
            ref var place = ref taken[Mix(Names[i], seed)];
            if (place)
            {
                return false;
            }
            place = true;
        }
        return true;
    }

    private static byte[] BuildIndex()
    {
        var index = new byte[1 << IndexBits];
        for (var i = 1; i < Count; i++)
        {
            index[Mix(Names[i], Seed)] = (byte)i;
        }
        return index;
    }

    private static bool[] BuildJoined()
    {
        var joined = new bool[Count];
        Array.Fill(joined, true);
        ReadOnlySpan<KnownHeader> separate =
        [
            KnownHeader.None, KnownHeader.Cookie, KnownHeader.SetCookie, KnownHeader.Trailer, KnownHeader.XB3TraceId,
            KnownHeader.XB3SpanId, KnownHeader.TraceParent, KnownHeader.TraceState, KnownHeader.Host,
            KnownHeader.EnvoyRetriableStatusCodes, KnownHeader.EnvoyOriginalMethod, KnownHeader.EnvoyOriginalDstHost,
            KnownHeader.EnvoyPeerMetadata, KnownHeader.EnvoyPeerMetadataId, KnownHeader.EnvoyLocalOverloaded,
            KnownHeader.RetryAfter, KnownHeader.Http2Settings,
        ];
        foreach (var header in separate)
        {
            joined[(int)header] = false;
        }
        return joined;
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
            // The peer metadata of the mesh is named by Istio, not by the proxy.
            names[i + 1] = text[i].StartsWith("x-envoy-peer-metadata", StringComparison.Ordinal)
                ? Encoding.ASCII.GetBytes(text[i])
                : HeaderPrefix.Apply(text[i]);
        }
        return names;
    }
}
