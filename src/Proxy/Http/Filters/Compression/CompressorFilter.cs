using System.Text;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>Packs responses (and, where asked, requests) in a content coding (http-semantics 24.9).</summary>
internal sealed class CompressorFilter(CompressorSettings settings) : PassThroughFilter
{
    private BodyTransformer? _request;
    private BodyTransformer? _response;
    private CompressorOverride? _override;
    private AcceptEncoding? _accept;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _override = Decoder.MostSpecificPerFilterConfig<CompressorOverride>();
        var state = Decoder.StreamInfo.FilterState;
        _accept = state.Get<AcceptEncoding>(AcceptEncoding.Key);
        if (_accept is null)
        {
            _accept = new AcceptEncoding { Header = headers.GetString(KnownHeader.AcceptEncoding) };
            state.Set(AcceptEncoding.Key, _accept);
        }
        _accept.Register(settings);
        if (_override?.RemoveAcceptEncoding ?? settings.RemoveAcceptEncoding)
        {
            headers.Remove(KnownHeader.AcceptEncoding);
        }
        CompressRequest(headers, endStream);
        return FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        Transform(_request, settings.Request, data, endStream);
        return FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        if (_request is not null)
        {
            var rest = new ByteBuffer();
            Transform(_request, settings.Request, rest, endStream: true);
            Decoder.AddDecodedData(rest, streaming: true);
        }
        return FilterTrailersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        var large = IsOn() && settings.Response.IsLongEnough(headers);
        var could = large && !HeaderTokens.IsUpgrade(headers) && settings.Response.IsTypeAllowed(headers)
            && !HeaderTokens.Contains(headers.Get(KnownHeader.CacheControl), "no-transform"u8) && IsEtagAllowed(headers)
            && !headers.Contains(KnownHeader.ContentEncoding) && IsCodeAllowed(HeaderUtility.Status(headers));
        var does = could && !endStream && IsAccepted(headers) && IsTransferEncodingAllowed(headers);
        settings.Response.CountDecision(does);
        if (does)
        {
            ChangeEtag(headers);
            headers.Remove(KnownHeader.ContentLength);
            headers.Set(KnownHeader.ContentEncoding, settings.Codec.Encoding);
            _response = settings.Codec.Compressor();
        }
        if (could)
        {
            // A cache must know that another client would get another form.
            AddVary(headers);
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream)
    {
        Transform(_response, settings.Response, data, endStream);
        return FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers)
    {
        if (_response is not null)
        {
            var rest = new ByteBuffer();
            Transform(_response, settings.Response, rest, endStream: true);
            Encoder.AddEncodedData(rest, streaming: true);
        }
        return FilterTrailersStatus.Continue;
    }

    public override void OnDestroy()
    {
        _request?.Dispose();
        _response?.Dispose();
    }

    private void CompressRequest(HeaderMap headers, bool endStream)
    {
        var does = settings.CompressesRequests && !endStream && settings.Request.IsOn && settings.Request.IsLongEnough(headers)
            && settings.Request.IsTypeAllowed(headers) && !headers.Contains(KnownHeader.ContentEncoding)
            && IsTransferEncodingAllowed(headers);
        settings.Request.CountDecision(does);
        if (does)
        {
            headers.Remove(KnownHeader.ContentLength);
            headers.Set(KnownHeader.ContentEncoding, settings.Codec.Encoding);
            _request = settings.Codec.Compressor();
        }
    }

    private static void Transform(BodyTransformer? transformer, CompressionDirection direction, ByteBuffer data, bool endStream)
    {
        if (transformer is null)
        {
            return;
        }
        var before = data.Length;
        transformer.Transform(data, endStream);
        direction.CountBytes(before, data.Length);
    }

    private bool IsOn() => _override is { } given ? !given.Disabled : settings.Response.IsOn;

    private bool IsCodeAllowed(int code)
    {
        foreach (var excluded in settings.UncompressibleCodes)
        {
            if (excluded == code)
            {
                return false;
            }
        }
        return true;
    }

    private bool IsEtagAllowed(HeaderMap headers)
    {
        if (!settings.DisableOnEtag || !headers.Contains(KnownHeader.ETag))
        {
            return true;
        }
        settings.ResponseStats.Inc(6);
        return false;
    }

    private bool IsAccepted(HeaderMap headers)
    {
        if (_accept?.Header is null)
        {
            settings.ResponseStats.Inc(0);
            return false;
        }
        var chosen = _accept.Choose(headers);
        var used = chosen == settings.Codec.Encoding;
        settings.ResponseStats.Inc(used ? 2 : chosen == "identity" ? 1 : 3);
        return used;
    }

    private static bool IsTransferEncodingAllowed(HeaderMap headers) =>
        !HeaderTokens.Contains(headers.Get(KnownHeader.TransferEncoding), "gzip"u8)
        && !HeaderTokens.Contains(headers.Get(KnownHeader.TransferEncoding), "deflate"u8);

    // A strong validator names the bytes that were (RFC 9110 8.8.1).
    private void ChangeEtag(HeaderMap headers)
    {
        var etag = headers.Get(KnownHeader.ETag);
        if (etag.IsEmpty || etag.StartsWith("W/"u8) || etag.StartsWith("w/"u8))
        {
            return;
        }
        if (settings.WeakenEtag)
        {
            headers.Set(KnownHeader.ETag, $"W/{Encoding.Latin1.GetString(etag)}");
        }
        else
        {
            headers.Remove(KnownHeader.ETag);
        }
    }

    private static void AddVary(HeaderMap headers)
    {
        var vary = headers.GetString(KnownHeader.Vary);
        if (string.IsNullOrEmpty(vary))
        {
            headers.Set(KnownHeader.Vary, "Accept-Encoding"u8);
        }
        else if (!vary.Split(',', StringSplitOptions.TrimEntries).Contains("Accept-Encoding", StringComparer.OrdinalIgnoreCase))
        {
            headers.Set(KnownHeader.Vary, $"{vary}, Accept-Encoding");
        }
    }
}
