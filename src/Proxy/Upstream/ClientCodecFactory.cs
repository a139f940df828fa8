using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>The proxy's own codecs.</summary>
public sealed class ClientCodecFactory : IClientCodecFactory
{
    // HttpProtocolOptions.max_response_headers_kb: Envoy's codecs have different defaults.
    private const uint DefaultHttp1HeadersKb = 80;

    public IClientConnection Create(
        HttpProtocol protocol, Connection connection, IClientConnectionCallbacks callbacks, ICluster cluster)
    {
        var options = cluster.HttpOptions;
        if (protocol == HttpProtocol.Http2)
        {
            throw new ConfigurationException($"Cluster {cluster.Name}: HTTP/2 upstream is not built in.");
        }
        var limits = new CodecLimits(options.MaxResponseHeadersKb ?? DefaultHttp1HeadersKb, cluster.MaxResponseHeadersCount);
        return new Http1ClientConnection(connection, options.Http1, limits, new Http1Stats(cluster.Stats));
    }
}
