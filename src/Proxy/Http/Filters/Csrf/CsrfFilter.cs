using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Csrf;

/// <summary>Compares the origin of a request, or its referer's, with the site asked.</summary>
internal sealed class CsrfFilter(CsrfPolicy own, CsrfStats stats) : IStreamDecoderFilter
{
    private const int Forbidden = 403;

    private IStreamDecoderFilterCallbacks _callbacks = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var policy = _callbacks.MostSpecificPerFilterConfig<CsrfPolicy>() ?? own;
        var random = _callbacks.StreamInfo.StreamId;
        var enabled = policy.Enabled(random);
        if ((!enabled && !policy.ShadowEnabled(random)) || !Changes(headers.Get(KnownHeader.Method)))
        {
            return FilterHeadersStatus.Continue;
        }
        var source = Source(headers);
        var allowed = !source.IsEmpty && (source.SequenceEqual(headers.Get(KnownHeader.Authority)) || policy.AllowsAlso(source));
        (source.IsEmpty ? stats.Missing : allowed ? stats.Valid : stats.Invalid).Inc();
        if (allowed || !enabled)
        {
            return FilterHeadersStatus.Continue;
        }
        _callbacks.SendLocalReply(Forbidden, "Invalid origin"u8, null, null, "csrf_origin_mismatch");
        return FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public void OnDestroy()
    {
    }

    private static bool Changes(ReadOnlySpan<byte> method) =>
        method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8) || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("PATCH"u8);

    // `null` is what browsers send when they will not tell (RFC 6454 7.1): no source.
    private static ReadOnlySpan<byte> Source(HeaderMap headers)
    {
        var origin = Value(headers, "origin"u8);
        if (!origin.IsEmpty)
        {
            return origin.SequenceEqual("null"u8) ? default : HostOf(origin);
        }
        return HostOf(Value(headers, "referer"u8));
    }

    private static ReadOnlySpan<byte> Value(HeaderMap headers, ReadOnlySpan<byte> name) =>
        headers.TryGet(name, out var value) ? value : default;

    // What is no URL is compared as it stands, and matches nothing.
    private static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> url)
    {
        var start = url.IndexOf("://"u8);
        if (start < 0)
        {
            return url;
        }
        var rest = url[(start + 3)..];
        var end = rest.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
        return end < 0 ? rest : rest[..end];
    }
}
