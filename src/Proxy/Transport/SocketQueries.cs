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

    /// <summary>
    /// Where the client meant to go before a REDIRECT rule (SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST), or by TPROXY, where the
    /// local address itself is it; null when the connection was not redirected.
    /// </summary>
    public static EndPoint? OriginalDestination(int fd, IPEndPoint local)
    {
        var v6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        var level = v6 ? Constants.IpProtoIpv6 : Constants.IpProtoIp;
        var bytes = stackalloc byte[KernelAddress.MaxLength];
        var length = KernelAddress.MaxLength;
        if (Libc.GetSockOpt(fd, level, Constants.SoOriginalDestination, bytes, &length) == 0)
        {
            return KernelAddress.Read(new ReadOnlySpan<byte>(bytes, length));
        }
        int transparent;
        length = sizeof(int);
        var option = v6 ? Constants.Ipv6Transparent : Constants.IpTransparent;
        return Libc.GetSockOpt(fd, level, option, &transparent, &length) == 0 && transparent != 0 ? local : null;
    }
}
