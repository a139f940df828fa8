using System.Net;
using MeshProxy.Proxy.Network.Sockets;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Connects to internal listeners in memory, on the loop of the one who connects; to everything else by sockets.</summary>
/// <param name="listenersOf">The listeners of a loop; null where there are none (main loop).</param>
/// <param name="bufferBytes">Bytes that wait in one direction (bootstrap extension internal_listener, buffer_size_kb).</param>
internal sealed class InternalConnector(Func<EventLoop, WorkerListeners?> listenersOf, int bufferBytes) : IUpstreamConnector
{
    /// <summary>Envoy's default of buffer_size_kb: 1 MiB.</summary>
    public const int DefaultBufferBytes = 1024 * 1024;

    private static readonly InternalEndPoint Client = new("internal_client_address", "");

    public Connection Create(EventLoop loop, EndPoint address, ITransportSocket transportSocket, ClientSocketOptions? options)
    {
        if (address is not InternalEndPoint target)
        {
            return ConnectionFactory.CreateClient(loop, address, transportSocket, options);
        }
        var (clientEnd, serverEnd) = MemoryIoHandle.CreatePair(bufferBytes);
        var info = Info(Client, target);
        var client = StreamConnection.CreateClient(loop, clientEnd, transportSocket, info, ConnectionFactory.NewStreamInfo(loop, info));
        if (listenersOf(loop)?.FindInternal(target.ServerListenerName) is not { } listener)
        {
            // Connecting to a closed end fails, as to a port where nobody listens.
            serverEnd.Close(false);
            return client;
        }
        var serverInfo = Info(target, Client);
        var streamInfo = ConnectionFactory.NewStreamInfo(loop, serverInfo);
        (transportSocket as InternalUpstream)?.PassTo(streamInfo);
        // Not inside the call of whoever connects: the listener's filters may connect in turn.
        loop.Defer(() => listener.TakeInternal(serverEnd, serverInfo, streamInfo));
        return client;
    }

    private static ConnectionInfo Info(EndPoint local, EndPoint remote) => new()
    {
        LocalAddress = local,
        DirectLocalAddress = local,
        RemoteAddress = remote,
        DirectRemoteAddress = remote,
        ConnectionId = StreamConnection.NextId(),
    };
}
