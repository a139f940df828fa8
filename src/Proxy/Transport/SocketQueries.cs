using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>What the kernel knows of a connected socket.</summary>
public static unsafe class SocketQueries
{
    public static EndPoint LocalAddress(int fd)
    {
        var bytes = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.MaxLength;
        return Libc.GetSockName(fd, bytes, &length) == 0
            ? KernelAddress.Read(new ReadOnlySpan<byte>(bytes, length))
            : new IPEndPoint(IPAddress.Any, 0);
    }

    /// <summary>Where the client meant to go before a REDIRECT rule (SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST); null when the connection was not redirected.</summary>
    public static EndPoint? OriginalDestination(int fd, AddressFamily family)
    {
        var v6 = family == AddressFamily.InterNetworkV6;
        var bytes = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.MaxLength;
        return Libc.GetSockOpt(fd, v6 ? Constants.IpProtoIpv6 : Constants.IpProtoIp,
            Constants.SoOriginalDestination, bytes, &length) == 0
            ? KernelAddress.Read(new ReadOnlySpan<byte>(bytes, length))
            : null;
    }
}
