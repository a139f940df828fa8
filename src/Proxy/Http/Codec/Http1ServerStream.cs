using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>The answer to one HTTP/1 request.</summary>
internal sealed class Http1ServerStream(Http1ServerConnection connection) : Http1Stream(connection), IResponseEncoder
{
    private bool _toHead;
    private bool _toConnect;

    public IRequestDecoder? Decoder { get; set; }

    /// <summary>The request's last byte was received.</summary>
    public bool RemoteComplete { get; set; }

    public bool StartedResponse { get; private set; }

    public bool StreamErrorOnInvalidHttpMessage => Codec.Settings.StreamErrorOnInvalidHttpMessage;

    public void Begin()
    {
        Renew();
        _toHead = _toConnect = false;
        RemoteComplete = false;
        StartedResponse = false;
        Decoder = null;
    }

    public void OnRequestHead(bool isHead, bool isConnect)
    {
        _toHead = isHead;
        _toConnect = isConnect;
    }

    public void Encode1xxHeaders(HeaderMap headers)
    {
        WriteHead(headers, StatusOf(headers), BodyFraming.AsIs);
        FinishHead(false);
    }

    public void EncodeHeaders(HeaderMap headers, bool endStream)
    {
        StartedResponse = true;
        var status = StatusOf(headers);
        // A refused CONNECT is an answer like any other.
        var opensTunnel = _toConnect && status < 300;
        EndsConnection = opensTunnel;
        var framing = Framing(headers, status, endStream, opensTunnel);
        ChunkedOut = framing == BodyFraming.Chunked && !_toHead && !HeaderTokens.IsUpgrade(headers);
        WriteHead(headers, status, framing);
        FinishHead(endStream);
    }

    protected override void OnEnd() => connection.OnResponseEnd(this);

    private BodyFraming Framing(HeaderMap headers, int status, bool endStream, bool opensTunnel)
    {
        if (headers.Contains(KnownHeader.ContentLength) || status is < 200 or 204 or 304)
        {
            return BodyFraming.AsIs;
        }
        if (endStream && !_toHead)
        {
            return opensTunnel ? BodyFraming.AsIs : BodyFraming.Empty;
        }
        return Codec.Protocol == HttpProtocol.Http10 || opensTunnel ? BodyFraming.AsIs : BodyFraming.Chunked;
    }

    private void WriteHead(HeaderMap headers, int status, BodyFraming framing)
    {
        var http10 = Codec.Protocol == HttpProtocol.Http10 && Codec.Settings.AcceptHttp10;
        var formatter = FormatterOf(headers);
        var phrase = formatter is null ? default : formatter.ReasonPhrase;
        var line = phrase.IsEmpty
            ? StatusLines.Get(status, http10)
            : StatusLines.Format(status, http10, System.Text.Encoding.Latin1.GetString(phrase));
        Http1HeadWriter.Write(Codec.Output, line, headers, formatter, framing);
    }

    private static int StatusOf(HeaderMap headers) =>
        Http1HeadParser.TryParseLength(headers.Get(KnownHeader.Status), out var status) && status <= 999 ? (int)status : 0;
}
