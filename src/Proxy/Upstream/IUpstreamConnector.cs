using System.Net;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Makes client connections, not yet connecting: sockets, or in-memory ends for internal listeners and tests.</summary>
public interface IUpstreamConnector
{
    Connection Create(EventLoop loop, EndPoint address, ITransportSocket transportSocket, ClientSocketOptions? options);
}

/// <summary>Connects to addresses of the network and of Unix sockets.</summary>
public sealed class SocketConnector : IUpstreamConnector
{
    public Connection Create(EventLoop loop, EndPoint address, ITransportSocket transportSocket, ClientSocketOptions? options) =>
        ConnectionFactory.CreateClient(loop, address, transportSocket, options);
}
