using System.Net;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>Makes connections of either side, on sockets or in memory.</summary>
public static unsafe class ConnectionFactory
{
    /// <summary>
    /// A connection to <paramref name="target"/>, not yet connecting. An IOException says which option or source address the
    /// kernel refused.
    /// </summary>
    public static Connection CreateClient(
        EventLoop loop, EndPoint target, ITransportSocket transport, ClientSocketOptions? options = null)
    {
        var handle = new SocketIoHandle(target);
        try
        {
            Prepare(handle, target, options);
        }
        catch
        {
            handle.Close(false);
            throw;
        }
        var local = options?.SourceAddress ?? new IPEndPoint(IPAddress.Any, 0);
        var info = new ConnectionInfo
        {
            LocalAddress = local,
            DirectLocalAddress = local,
            RemoteAddress = target,
            DirectRemoteAddress = target,
            ConnectionId = StreamConnection.NextId(),
        };
        return StreamConnection.CreateClient(loop, handle, transport, info, NewStreamInfo(loop, info));
    }

    /// <summary>The connection of an accepted socket; it reads once <see cref="Connection.Start"/> is called.</summary>
    public static Connection CreateServer(
        EventLoop loop, int fd, ITransportSocket transport, ConnectionInfo info, StreamInfo streamInfo) =>
        StreamConnection.CreateServer(loop, new SocketIoHandle(fd), transport, info, streamInfo);

    /// <summary>Two ends of an in-memory stream on one loop; the client end still has to <see cref="Connection.Connect"/>.</summary>
    public static (Connection Client, Connection Server) CreateMemoryPair(
        EventLoop loop, ITransportSocket clientTransport, ITransportSocket serverTransport, EndPoint clientAddress, EndPoint serverAddress)
    {
        var (clientHandle, serverHandle) = MemoryIoHandle.CreatePair();
        var clientInfo = MemoryInfo(clientAddress, serverAddress);
        var serverInfo = MemoryInfo(serverAddress, clientAddress);
        return (
            StreamConnection.CreateClient(loop, clientHandle, clientTransport, clientInfo, NewStreamInfo(loop, clientInfo)),
            StreamConnection.CreateServer(loop, serverHandle, serverTransport, serverInfo, NewStreamInfo(loop, serverInfo)));
    }

    /// <summary>The record of a new connection, starting now.</summary>
    public static StreamInfo NewStreamInfo(EventLoop loop, ConnectionInfo info) => new()
    {
        StartTime = loop.UtcNow,
        StartNanoseconds = EventLoop.NowNanoseconds,
        Downstream = info,
    };

    private static ConnectionInfo MemoryInfo(EndPoint local, EndPoint remote) => new()
    {
        LocalAddress = local,
        DirectLocalAddress = local,
        RemoteAddress = remote,
        DirectRemoteAddress = remote,
        ConnectionId = StreamConnection.NextId(),
    };

    private static void Prepare(SocketIoHandle handle, EndPoint target, ClientSocketOptions? options)
    {
        var fd = handle.FileDescriptor;
        if (target is IPEndPoint)
        {
            handle.SetNoDelay(true);
        }
        if (options is null)
        {
            return;
        }
        var v6 = target.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var level = v6 ? Constants.IpProtoIpv6 : Constants.IpProtoIp;
        if (options.Transparent)
        {
            SocketOptionWriter.Set(fd, level, v6 ? Constants.Ipv6Transparent : Constants.IpTransparent, 1, "IP_TRANSPARENT");
        }
        if (options.FreeBind)
        {
            SocketOptionWriter.Set(fd, level, v6 ? Constants.Ipv6FreeBind : Constants.IpFreeBind, 1, "IP_FREEBIND");
        }
        if (options.Mark != 0)
        {
            SocketOptionWriter.Set(fd, Constants.SolSocket, Constants.SoMark, (int)options.Mark, "SO_MARK");
        }
        // A Unix socket has no TCP to keep alive: Istio asks for it on its agent's all the same.
        if (options.Keepalive is { } keepalive && target is IPEndPoint)
        {
            SocketOptionWriter.Set(fd, keepalive);
        }
        foreach (var option in options.SocketOptions)
        {
            SocketOptionWriter.Set(fd, option);
        }
        if (options.SourceAddress is { } source && target is IPEndPoint)
        {
            BindSource(fd, source);
        }
    }

    private static void BindSource(int fd, EndPoint source)
    {
        if (source is IPEndPoint { Port: 0 })
        {
            // The port is chosen at connect, where it need only be unique for the destination: many more connections fit.
            SocketOptionWriter.Set(fd, Constants.IpProtoIp, Constants.IpBindAddressNoPort, 1, "IP_BIND_ADDRESS_NO_PORT");
        }
        var bytes = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.Write(source, new Span<byte>(bytes, KernelAddress.MaxLength));
        if (Libc.Bind(fd, bytes, length) != 0)
        {
            throw new IOException(
                $"cannot bind to source address '{source}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }
}
