using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Chooses and makes the codec of a downstream connection (http-semantics 22).</summary>
internal sealed class ServerCodecFactory(
    Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.CodecType type,
    Http1Settings http1, Http2Settings http2, CodecLimits limits, IStatsScope scope)
{
    private readonly Http1Stats _http1Stats = new(scope);
    private readonly Http2Stats _http2Stats = new(scope);

    public CodecLimits Limits => limits;

    private static ReadOnlySpan<byte> Http2Preface => "PRI * HTTP/2"u8;

    /// <param name="data">The first bytes received: what a client without ALPN is told by.</param>
    public IServerConnection Create(Connection connection, IServerConnectionCallbacks callbacks, ByteBuffer data)
    {
        if (IsHttp2(connection, data))
        {
            return new Http2ServerConnection(connection, callbacks, http2, limits, _http2Stats);
        }
        return new Http1ServerConnection(connection, callbacks, http1, limits, _http1Stats);
    }

    private bool IsHttp2(Connection connection, ByteBuffer data) => type switch
    {
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.CodecType.Http1 => false,
        Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.CodecType.Http2 => true,
        _ => connection.NextProtocol.Length > 0
            ? connection.NextProtocol == "h2"
            : data.Length >= Http2Preface.Length && data.Linearize(Http2Preface.Length).StartsWith(Http2Preface),
    };
}
