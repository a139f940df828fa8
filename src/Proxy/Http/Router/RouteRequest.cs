using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What routes look at, cut up once for one look-up.</summary>
internal readonly ref struct RouteRequest
{
    public RouteRequest(HeaderMap headers, StreamInfo streamInfo, ulong random, bool ignorePathParameters)
    {
        Headers = headers;
        StreamInfo = streamInfo;
        Random = random;
        HasPath = headers.TryGet(KnownHeader.Path, out var path);
        var end = path.IndexOfAny((byte)'?', (byte)'#');
        Path = end < 0 ? path : path[..end];
        Query = end >= 0 && path[end] == '?' ? path[(end + 1)..] : default;
        if (ignorePathParameters && Path.IndexOf((byte)';') is var parameters and >= 0)
        {
            Path = Path[..parameters];
        }
    }

    public HeaderMap Headers { get; }

    public StreamInfo StreamInfo { get; }

    /// <summary>The stream's stable random value: fractions, weights and mirrors draw from the same.</summary>
    public ulong Random { get; }

    public bool HasPath { get; }

    /// <summary>Without query and fragment.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>Without the question mark.</summary>
    public ReadOnlySpan<byte> Query { get; }
}
