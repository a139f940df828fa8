using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>The proxy's own codecs.</summary>
public sealed class ClientCodecFactory : IClientCodecFactory
{
    // HttpProtocolOptions.max_response_headers_kb: Envoy's codecs have different defaults.
    private const uint DefaultHttp1HeadersKb = 80;
    private const uint DefaultHttp2HeadersKb = 60;

    public IClientConnection Create(
        HttpProtocol protocol, Connection connection, IClientConnectionCallbacks callbacks, ICluster cluster)
    {
        var options = cluster.HttpOptions;
        if (protocol == HttpProtocol.Http2)
        {
            var http2Limits = new CodecLimits(options.MaxResponseHeadersKb ?? DefaultHttp2HeadersKb, cluster.MaxResponseHeadersCount);
            return new Http2ClientConnection(connection, callbacks, options.Http2, http2Limits, new Http2Stats(cluster.Stats));
        }
        var limits = new CodecLimits(options.MaxResponseHeadersKb ?? DefaultHttp1HeadersKb, cluster.MaxResponseHeadersCount);
        return new Http1ClientConnection(connection, options.Http1, limits, new Http1Stats(cluster.Stats));
    }
}
