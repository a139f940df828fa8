using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>One HTTP/1 request and the receiver of its answer.</summary>
internal sealed class Http1ClientStream(Http1ClientConnection connection) : Http1Stream(connection), IRequestEncoder
{
    private bool _tunneling;

    public IResponseDecoder? Decoder { get; private set; }

    public bool IsHead { get; private set; }

    public bool IsConnect { get; private set; }

    public bool IsUpgrade { get; private set; }

    public void Begin(IResponseDecoder decoder)
    {
        Renew();
        Decoder = decoder;
        IsHead = IsConnect = IsUpgrade = _tunneling = false;
    }

    public void EnableTcpTunneling() => _tunneling = true;

    public string? EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!headers.TryGet(KnownHeader.Method, out var method))
        {
            return "missing required header: :method";
        }
        IsConnect = method.SequenceEqual("CONNECT"u8);
        var required = IsConnect ? KnownHeader.Authority : KnownHeader.Path;
        if (!headers.Contains(required))
        {
            return IsConnect ? "missing required header: :authority" : "missing required header: :path";
        }
        IsHead = method.SequenceEqual("HEAD"u8);
        IsUpgrade = HeaderTokens.IsUpgrade(headers);
        if (IsConnect)
        {
            Codec.Connection.HalfCloseEnabled = true;
        }
        EndsConnection = IsConnect || _tunneling;
        var framing = Framing(headers, method, endStream);
        ChunkedOut = framing == BodyFraming.Chunked;
        WriteHead(headers, method, framing);
        FinishHead(endStream);
        return null;
    }

    protected override void OnEnd()
    {
    }

    private BodyFraming Framing(HeaderMap headers, ReadOnlySpan<byte> method, bool endStream)
    {
        if (headers.Contains(KnownHeader.ContentLength) || IsConnect || IsUpgrade)
        {
            return BodyFraming.AsIs;
        }
        if (!endStream)
        {
            return BodyFraming.Chunked;
        }
        // Methods that seldom have a body say nothing of one (RFC 9110 8.6).
        var bodiless = method.SequenceEqual("GET"u8) || IsHead || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("TRACE"u8);
        return bodiless ? BodyFraming.AsIs : BodyFraming.Empty;
    }

    private void WriteHead(HeaderMap headers, ReadOnlySpan<byte> method, BodyFraming framing)
    {
        var output = Codec.Output;
        output.Append(method);
        output.Append(" "u8);
        if (Codec.Settings.SendFullyQualifiedUrl && !IsConnect)
        {
            output.Append(headers.Get(KnownHeader.Scheme));
            output.Append("://"u8);
            output.Append(headers.Get(KnownHeader.Authority));
        }
        output.Append(headers.Get(IsConnect ? KnownHeader.Authority : KnownHeader.Path));
        Http1HeadWriter.Write(output, " HTTP/1.1\r\n"u8, headers, FormatterOf(headers), framing);
    }
}
