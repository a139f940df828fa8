using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>
/// TCP and UDP with addresses in full view. Calls block at most a few seconds; a connection that cannot be made is
/// null.
/// </summary>
internal static class Sockets
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(300);

    public static Socket Listen(IPAddress address, int port, bool transparent = false)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        if (transparent)
            SetTransparent(socket);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    /// <summary>A connection to a place that answers.</summary>
    public static Socket Connect(IPAddress address, int port, IPAddress? from = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (from is not null)
            socket.Bind(new IPEndPoint(from, 0));
        using var limit = new CancellationTokenSource(Patience);
        socket.ConnectAsync(new IPEndPoint(address, port), limit.Token).AsTask().GetAwaiter().GetResult();
        return socket;
    }

    public static Socket? TryConnect(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(Impatience);
        try
        {
            socket.ConnectAsync(new IPEndPoint(address, port), limit.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }

    public static Socket Accept(Socket listener)
    {
        using var limit = new CancellationTokenSource(Patience);
        return listener.AcceptAsync(limit.Token).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Where the connection was meant to go before it was redirected.</summary>
    public static IPEndPoint OriginalDestination(Socket socket)
    {
        var ipv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        Span<byte> bytes = stackalloc byte[28];
        // SO_ORIGINAL_DST; in sockaddr_in the address is at 4, in sockaddr_in6 at 8.
        socket.GetRawSocketOption(ipv6 ? 41 : 0, 80, bytes);
        var address = new IPAddress(ipv6 ? bytes.Slice(8, 16) : bytes.Slice(4, 4));
        return new IPEndPoint(address, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
    }

    public static Socket Datagrams(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        // SO_REUSEADDR: a child that another test is just starting may hold a closed socket, and its port, until it executes.
        socket.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(address, port));
        socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        return socket;
    }

    public static void SetTransparent(Socket socket)
    {
        var ipv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        // IP_TRANSPARENT, IPV6_TRANSPARENT
        socket.SetRawSocketOption(ipv6 ? 41 : 0, ipv6 ? 75 : 19, BitConverter.GetBytes(1));
    }

    public static void SetMark(Socket socket, int mark) =>
        socket.SetRawSocketOption(1, 36, BitConverter.GetBytes(mark));
}
