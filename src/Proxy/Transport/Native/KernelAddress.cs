using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Proxy.Transport.Native;

/// <summary>Converts between <see cref="EndPoint"/> and the kernel's sockaddr.</summary>
internal static class KernelAddress
{
    /// <summary>sizeof(struct sockaddr_un), the largest in use.</summary>
    public const int MaxLength = 110;

    public static int Family(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint => Constants.AfUnix,
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } => Constants.AfInet6,
        IPEndPoint => Constants.AfInet,
        _ => throw new NotSupportedException($"No socket address for {endPoint}."),
    };

    /// <summary>Writes the sockaddr; its length.</summary>
    public static int Write(EndPoint endPoint, Span<byte> destination)
    {
        destination.Clear();
        switch (endPoint)
        {
            case IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6:
                BinaryPrimitives.WriteInt16LittleEndian(destination, Constants.AfInet6);
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)v6.Port);
                v6.Address.TryWriteBytes(destination[8..], out _);
                BinaryPrimitives.WriteUInt32LittleEndian(destination[24..], (uint)v6.Address.ScopeId);
                return 28;
            case IPEndPoint v4:
                BinaryPrimitives.WriteInt16LittleEndian(destination, Constants.AfInet);
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)v4.Port);
                v4.Address.TryWriteBytes(destination[4..], out _);
                return 16;
            case UnixDomainSocketEndPoint unix:
                return WriteUnix(UnixPath(unix), destination);
            default:
                throw new NotSupportedException($"No socket address for {endPoint}.");
        }
    }

    public static EndPoint Read(ReadOnlySpan<byte> address) =>
        address.Length < 2 ? new UnixDomainSocketEndPoint("\0") : BinaryPrimitives.ReadInt16LittleEndian(address) switch
        {
            Constants.AfInet => new IPEndPoint(
                new IPAddress(address.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
            Constants.AfInet6 => ReadV6(address),
            _ => ReadUnix(address),
        };

    /// <summary>The path as configuration writes it: `@name` for the abstract namespace.</summary>
    public static string UnixPath(UnixDomainSocketEndPoint endPoint) => endPoint.ToString();

    private static IPEndPoint ReadV6(ReadOnlySpan<byte> address)
    {
        var ip = new IPAddress(address.Slice(8, 16), BinaryPrimitives.ReadUInt32LittleEndian(address[24..]));
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        // A dual-stack socket reports IPv4 peers mapped; the rest of the proxy compares plain IPv4 addresses, as Envoy does.
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, port);
    }

    private static UnixDomainSocketEndPoint ReadUnix(ReadOnlySpan<byte> address)
    {
        var path = address[2..];
        if (path.IsEmpty)
        {
            return new UnixDomainSocketEndPoint("\0");
        }
        if (path[0] == 0)
        {
            return new UnixDomainSocketEndPoint("\0" + Encoding.UTF8.GetString(path[1..].TrimEnd((byte)0)));
        }
        var end = path.IndexOf((byte)0);
        return new UnixDomainSocketEndPoint(Encoding.UTF8.GetString(end < 0 ? path : path[..end]));
    }

    private static int WriteUnix(string path, Span<byte> destination)
    {
        BinaryPrimitives.WriteInt16LittleEndian(destination, Constants.AfUnix);
        if (path.StartsWith('@'))
        {
            return 3 + Encoding.UTF8.GetBytes(path.AsSpan(1), destination[3..]);
        }
        return 2 + Encoding.UTF8.GetBytes(path, destination[2..]) + 1;
    }
}
