using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Compiles the transport_socket of a cluster; null means plaintext. Unknown types and bad contexts are refused.</summary>
public interface IUpstreamTransportSocketCompiler
{
    IUpstreamTransportSocketFactory Compile(TransportSocket? socket, FactoryContext context);
}
