using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>An accepted socket; whoever takes it owns the descriptor.</summary>
public readonly record struct AcceptedSocket(int FileDescriptor, EndPoint LocalAddress, EndPoint RemoteAddress);

/// <summary>
/// One listening socket, accepted from on one loop. A listener has one per worker (SO_REUSEPORT spreads connections), or
/// one that all share. Opened before it is attached, so that an address in use refuses the configuration at once.
/// </summary>
public sealed unsafe class ListenSocket : IIoEventHandler
{
    private readonly bool _wildcard;
    private readonly int _backlog;
    private EventLoop? _loop;
    private IoRegistration? _registration;
    private Action<AcceptedSocket>? _onAccept;
    private bool _paused;

    private ListenSocket(int fd, EndPoint localAddress, bool wildcard, int backlog)
    {
        _backlog = backlog;
        FileDescriptor = fd;
        LocalAddress = localAddress;
        _wildcard = wildcard;
    }

    public int FileDescriptor { get; private set; }

    /// <summary>The bound address, with the port the kernel chose where 0 was asked.</summary>
    public EndPoint LocalAddress { get; }

    /// <summary>At most this many connections are accepted per readiness event; 0 drains the queue.</summary>
    public int MaxPerEvent { get; set; }

    /// <summary>Told how many connections one readiness event brought.</summary>
    public Action<int>? OnBatch { get; set; }

    /// <summary>Opens and binds; connections are refused until the socket is attached. An IOException says in one sentence why it could not.</summary>
    public static ListenSocket Open(EndPoint address, ListenOptions options)
    {
        var fd = Libc.Socket(KernelAddress.Family(address),
            Constants.SockStream | Constants.SockNonBlock | Constants.SockCloexec, 0);
        if (fd < 0)
        {
            throw Failed(address, "socket");
        }
        try
        {
            Prepare(fd, address, options);
            Bind(fd, address);
            if (address is UnixDomainSocketEndPoint unix && options.Mode != 0)
            {
                Libc.ChangeMode(KernelAddress.UnixPath(unix), options.Mode);
            }
            // The kernel cuts a larger backlog down to net.core.somaxconn.
            return new ListenSocket(fd, SocketQueries.LocalAddress(fd), IsWildcard(address) || options.Transparent,
                options.Backlog > 0 ? options.Backlog : int.MaxValue);
        }
        catch
        {
            Libc.Close(fd);
            throw;
        }
    }

    /// <summary>A second handle on the same socket, for another loop.</summary>
    public ListenSocket Duplicate() => new(Libc.Duplicate(FileDescriptor), LocalAddress, _wildcard, _backlog);

    /// <summary>
    /// Begins to listen and to accept on <paramref name="loop"/>; on that loop. Again, with another taker: what comes from now
    /// on is its.
    /// </summary>
    public void Attach(EventLoop loop, Action<AcceptedSocket> onAccept)
    {
        _onAccept = onAccept;
        if (_registration is not null)
        {
            return;
        }
        if (Libc.Listen(FileDescriptor, _backlog) != 0)
        {
            throw Failed(LocalAddress, "listen");
        }
        _loop = loop;
        _registration = loop.Register(FileDescriptor, this, readOnly: true);
        if (_paused)
        {
            loop.SetReadInterest(_registration, false);
        }
    }

    /// <summary>Leaves new connections in the kernel's queue; on the loop.</summary>
    public void Pause(bool paused)
    {
        _paused = paused;
        if (_registration is not null)
        {
            _loop!.SetReadInterest(_registration, !paused);
        }
    }

    /// <summary>Closes the socket; on the loop, or anywhere before <see cref="Attach"/>.</summary>
    public void Close()
    {
        if (FileDescriptor < 0)
        {
            return;
        }
        if (_registration is not null)
        {
            _loop!.Unregister(_registration);
            _registration = null;
        }
        Libc.Close(FileDescriptor);
        FileDescriptor = -1;
    }

    void IIoEventHandler.OnIoEvents(IoEvents events)
    {
        var address = stackalloc byte[KernelAddress.MaxLength];
        var accepted = 0;
        while ((MaxPerEvent == 0 || accepted < MaxPerEvent) && FileDescriptor >= 0 && !_paused)
        {
            var length = KernelAddress.MaxLength;
            var fd = Libc.Accept(FileDescriptor, address, &length, Constants.SockNonBlock | Constants.SockCloexec);
            if (fd >= 0)
            {
                accepted++;
                // A client of a Unix socket has no address of its own (unix(7)): the socket's stands for it.
                Deliver(fd, length <= sizeof(ushort) ? LocalAddress : KernelAddress.Read(new ReadOnlySpan<byte>(address, length)));
                continue;
            }
            var error = Marshal.GetLastPInvokeError();
            if (error is Constants.EIntr or Constants.EConnectionAborted)
            {
                continue;
            }
            if (error is Constants.EMfile or Constants.ENfile)
            {
                PauseUntilDescriptorsAreFree();
            }
            break;
        }
        if (accepted > 0)
        {
            OnBatch?.Invoke(accepted);
        }
    }

    void IIoEventHandler.OnFault(Exception fault)
    {
    }

    private void Deliver(int fd, EndPoint remote)
    {
        if (LocalAddress is IPEndPoint)
        {
            var one = 1;
            Libc.SetSockOpt(fd, Constants.IpProtoTcp, Constants.TcpNoDelay, &one, sizeof(int));
        }
        _onAccept!(new AcceptedSocket(fd, _wildcard ? SocketQueries.LocalAddress(fd) : LocalAddress, remote));
    }

    // Without descriptors the level-triggered listener would spin: look again in a second.
    private void PauseUntilDescriptorsAreFree()
    {
        Pause(true);
        _loop!.CreateTimer(() =>
        {
            if (FileDescriptor >= 0)
            {
                Pause(false);
            }
        }).Arm(TimeSpan.FromSeconds(1));
    }

    private static void Prepare(int fd, EndPoint address, ListenOptions options)
    {
        SocketOptionWriter.Set(fd, Constants.SolSocket, Constants.SoReuseAddress, 1, "SO_REUSEADDR");
        var v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        if (address is IPEndPoint)
        {
            if (options.ReusePort)
            {
                SocketOptionWriter.Set(fd, Constants.SolSocket, Constants.SoReusePort, 1, "SO_REUSEPORT");
            }
            if (v6)
            {
                SocketOptionWriter.Set(
                    fd, Constants.IpProtoIpv6, Constants.Ipv6Only, options.Ipv4Compatible ? 0 : 1, "IPV6_V6ONLY");
            }
            if (options.Transparent)
            {
                SocketOptionWriter.Set(fd, v6 ? Constants.IpProtoIpv6 : Constants.IpProtoIp,
                    v6 ? Constants.Ipv6Transparent : Constants.IpTransparent, 1, "IP_TRANSPARENT");
            }
            if (options.FreeBind)
            {
                SocketOptionWriter.Set(fd, v6 ? Constants.IpProtoIpv6 : Constants.IpProtoIp,
                    v6 ? Constants.Ipv6FreeBind : Constants.IpFreeBind, 1, "IP_FREEBIND");
            }
        }
        foreach (var option in options.SocketOptions)
        {
            SocketOptionWriter.Set(fd, option);
        }
    }

    private static void Bind(int fd, EndPoint address)
    {
        if (address is UnixDomainSocketEndPoint unix)
        {
            var path = KernelAddress.UnixPath(unix);
            if (!path.StartsWith('@'))
            {
                Libc.Unlink(path);
            }
        }
        var bytes = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.Write(address, new Span<byte>(bytes, KernelAddress.MaxLength));
        if (Libc.Bind(fd, bytes, length) != 0)
        {
            throw Failed(address, "bind");
        }
    }

    private static bool IsWildcard(EndPoint address) =>
        address is IPEndPoint ip && (ip.Address.Equals(IPAddress.Any) || ip.Address.Equals(IPAddress.IPv6Any));

    private static IOException Failed(EndPoint address, string step) =>
        new($"cannot {step} '{address}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}
