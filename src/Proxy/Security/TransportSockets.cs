using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.InternalUpstream.V3;
using Envoy.Extensions.TransportSockets.ProxyProtocol.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network.Sockets;
using MeshProxy.Proxy.Security.Tls;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Security;

/// <summary>Compiles `transport_socket` of listeners and clusters. Unknown kinds are refused: plaintext in their place would be unsafe.</summary>
public sealed class TransportSockets(TlsContextManager contexts) : IUpstreamTransportSocketCompiler
{
    /// <summary>The listener's side; null is plaintext.</summary>
    public IDownstreamTransportSocketFactory CompileDownstream(TransportSocket? socket, FactoryContext context)
    {
        if (socket is not { } given || IsRawBuffer(given))
        {
            return RawBufferSocketFactory.Instance;
        }
        if (given.TypedConfig is { } typed && typed.TryUnpack<DownstreamTlsContext>(out var tls))
        {
            return DownstreamTlsFactory.Compile(tls, context, contexts);
        }
        throw Unknown(given, "DownstreamTlsContext");
    }

    public IUpstreamTransportSocketFactory Compile(TransportSocket? socket, FactoryContext context)
    {
        if (socket is not { } given || IsRawBuffer(given))
        {
            return RawBufferSocketFactory.Instance;
        }
        if (given.TypedConfig is { } typed && typed.TryUnpack<UpstreamTlsContext>(out var tls))
        {
            return UpstreamTlsFactory.Compile(tls, context, contexts);
        }
        if (given.TypedConfig is { } wrapper && wrapper.TryUnpack<ProxyProtocolUpstreamTransport>(out var proxyProtocol))
        {
            return ProxyProtocolUpstreamFactory.Compile(proxyProtocol, Compile(proxyProtocol.TransportSocket, context));
        }
        if (given.TypedConfig is { } internalConfig && internalConfig.TryUnpack<InternalUpstreamTransport>(out var internalUpstream))
        {
            return InternalUpstreamFactory.Compile(internalUpstream, Compile(internalUpstream.TransportSocket, context));
        }
        throw Unknown(given, "UpstreamTlsContext");
    }

    private static bool IsRawBuffer(TransportSocket socket) => socket.TypedConfig?.Is<RawBuffer>() == true;

    private static ConfigurationException Unknown(TransportSocket socket, string wanted) => new(
        $"transport_socket: Didn't find a registered implementation for '{socket.Name}' with type URL "
        + $"'{socket.TypedConfig?.TypeUrl}'; use {wanted} or raw_buffer here.");
}
