using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>One HTTP/2 request and its answer, seen by the client.</summary>
internal sealed class Http2ClientStream(Http2ClientConnection connection) : Http2Stream(connection), IRequestEncoder
{
    private byte[]? _upgrade;

    public IResponseDecoder? Decoder { get; private set; }

    public bool IsHead { get; private set; }

    public void Start(IResponseDecoder decoder, long sendWindow)
    {
        Begin(0, sendWindow);
        Decoder = decoder;
        _upgrade = null;
        IsHead = false;
    }

    /// <summary>HTTP/2 tunnels need nothing special: a stream ends each side on its own.</summary>
    public void EnableTcpTunneling()
    {
    }

    public string? EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!headers.TryGet(KnownHeader.Method, out var method))
        {
            return "missing required header: :method";
        }
        var isConnect = method.SequenceEqual("CONNECT"u8);
        if (!headers.Contains(isConnect ? KnownHeader.Authority : KnownHeader.Path))
        {
            return isConnect ? "missing required header: :authority" : "missing required header: :path";
        }
        IsHead = method.SequenceEqual("HEAD"u8);
        connection.Open(this);
        if (!isConnect && !HeaderTokens.IsUpgrade(headers))
        {
            Codec.SendHeaders(this, headers, endStream);
            return null;
        }
        var changed = HeaderMap.Rent();
        changed.CopyFrom(headers);
        if (isConnect)
        {
            UpgradeTranslation.ConnectToHttp2(changed);
        }
        else
        {
            _upgrade = headers.Get(KnownHeader.Upgrade).ToArray();
            UpgradeTranslation.RequestToHttp2(changed);
        }
        Codec.SendHeaders(this, changed, endStream);
        changed.Return();
        return null;
    }

    public override void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_upgrade is not null)
        {
            UpgradeTranslation.ResponseToHttp1(headers, _upgrade);
        }
        Decoder!.DecodeHeaders(headers, endStream);
    }

    protected override void DecodeData(ByteBuffer data, bool endStream) => Decoder!.DecodeData(data, endStream);

    protected override void DecodeTrailers(HeaderMap trailers) => Decoder!.DecodeTrailers(trailers);
}
