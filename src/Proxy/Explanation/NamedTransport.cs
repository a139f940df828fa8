using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Explanation;

/// <summary>
/// Stands for a transport socket that is not made: keys are redacted in dumps and files are elsewhere, but which socket is
/// chosen can be told without them.
/// </summary>
internal sealed class NamedTransport(TransportSocket? definition) : IDownstreamTransportSocketFactory, IUpstreamTransportSocketFactory
{
    public TransportSocket? Definition => definition;

    public bool ImplementsSecureTransport => TransportTexts.IsTls(definition);

    public bool IsReady => true;

    public bool SupportsAlpn => ImplementsSecureTransport;

    public ITransportSocket Create() => new RawBufferSocket();

    public ITransportSocket Create(TransportSocketOptions? options, Host host) => new RawBufferSocket();

    public TransportSocketOptions? SharingKey(TransportSocketOptions? options) => null;

    internal sealed class Compiler : IUpstreamTransportSocketCompiler
    {
        public IUpstreamTransportSocketFactory Compile(TransportSocket? socket, FactoryContext context) => new NamedTransport(socket);
    }
}
