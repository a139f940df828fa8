using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>HttpConnectionManager.codec_type.</summary>
public enum CodecType
{
    Auto,
    Http1,
    Http2,
}

/// <summary>Chooses and makes the server codec of a connection once its first bytes are there (Envoy's autoCreateCodec).</summary>
public sealed record HttpCodecFactory(
    CodecType Type, Http1Settings Http1, Http2Settings Http2, CodecLimits Limits, Http1Stats Http1Stats, Http2Stats Http2Stats)
{
    /// <summary>As much of the preface as tells HTTP/2 from any HTTP/1 request.</summary>
    private static ReadOnlySpan<byte> PrefacePrefix => "PRI * HTTP/2"u8;

    public IServerConnection Create(Connection connection, ByteBuffer firstBytes, IServerConnectionCallbacks callbacks) =>
        Choose(connection, firstBytes) == HttpProtocol.Http2
            ? new Http2ServerConnection(connection, callbacks, Http2, Limits, Http2Stats)
            : new Http1ServerConnection(connection, callbacks, Http1, Limits, Http1Stats);

    /// <summary>
    /// AUTO takes the negotiated ALPN protocol, else looks for HTTP/2's preface in the bytes read first; a preface cut
    /// shorter than its telling part counts as HTTP/1, as in Envoy.
    /// </summary>
    private HttpProtocol Choose(Connection connection, ByteBuffer firstBytes)
    {
        if (Type != CodecType.Auto)
        {
            return Type == CodecType.Http2 ? HttpProtocol.Http2 : HttpProtocol.Http11;
        }
        if (connection.NextProtocol.Length > 0)
        {
            return connection.NextProtocol == "h2" ? HttpProtocol.Http2 : HttpProtocol.Http11;
        }
        return firstBytes.Length >= PrefacePrefix.Length
            && firstBytes.Linearize(PrefacePrefix.Length).StartsWith(PrefacePrefix)
            ? HttpProtocol.Http2
            : HttpProtocol.Http11;
    }
}
