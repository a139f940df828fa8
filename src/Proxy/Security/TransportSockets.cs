using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Security;

/// <summary>Compiles transport sockets by the type of their configuration; an unknown type is refused.</summary>
public sealed class TransportSockets : IUpstreamTransportSocketCompiler
{
    private const string RawBuffer = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

    public static IDownstreamTransportSocketFactory CompileDownstream(TransportSocket? socket, FactoryContext context) =>
        IsPlain(socket) ? RawBufferSocketFactory.Instance : throw Unknown(socket!.Value);

    public IUpstreamTransportSocketFactory Compile(TransportSocket? socket, FactoryContext context) =>
        IsPlain(socket) ? RawBufferSocketFactory.Instance : throw Unknown(socket!.Value);

    private static bool IsPlain(TransportSocket? socket) =>
        socket is not { } present || present.TypedConfig?.TypeName == RawBuffer
        || (present.TypedConfig is null && present.Name is "raw_buffer" or "envoy.transport_sockets.raw_buffer");

    private static ConfigurationException Unknown(TransportSocket socket) => new(
        $"Didn't find a registered implementation for '{socket.Name}' with type URL: '{socket.TypedConfig?.TypeName ?? ""}'");
}
