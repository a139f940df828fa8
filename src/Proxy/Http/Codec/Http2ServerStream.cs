using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>One HTTP/2 request and its answer, seen by the server.</summary>
internal sealed class Http2ServerStream(Http2ServerConnection connection) : Http2Stream(connection), IResponseEncoder
{
    private bool _isUpgrade;

    public IRequestDecoder? Decoder { get; set; }

    public void Start(uint id, long sendWindow)
    {
        Begin(id, sendWindow);
        _isUpgrade = false;
        Decoder = null;
    }

    public void Encode1xxHeaders(HeaderMap headers) => Codec.SendHeaders(this, headers, false);

    public void EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!_isUpgrade || !HeaderTokens.IsUpgrade(headers))
        {
            Codec.SendHeaders(this, headers, endStream);
            return;
        }
        var changed = HeaderMap.Rent();
        changed.CopyFrom(headers);
        UpgradeTranslation.ResponseToHttp2(changed);
        Codec.SendHeaders(this, changed, endStream);
        changed.Return();
    }

    public override void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (UpgradeTranslation.IsHttp2Upgrade(headers))
        {
            _isUpgrade = true;
            UpgradeTranslation.RequestToHttp1(headers);
        }
        Decoder!.DecodeHeaders(headers, endStream);
    }

    protected override void DecodeData(ByteBuffer data, bool endStream) => Decoder!.DecodeData(data, endStream);

    protected override void DecodeTrailers(HeaderMap trailers) => Decoder!.DecodeTrailers(trailers);
}
