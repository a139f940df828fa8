using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Makes the client side of a codec on a connection that is connected; Http11 or Http2.</summary>
public interface IClientCodecFactory
{
    IClientConnection Create(HttpProtocol protocol, Connection connection, IClientConnectionCallbacks callbacks, ICluster cluster);
}
