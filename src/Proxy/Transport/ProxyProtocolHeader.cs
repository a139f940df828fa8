using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Proxy.Transport;

/// <summary>Writes PROXY protocol headers (haproxy.org/download/2.9/doc/proxy-protocol.txt).</summary>
public static class ProxyProtocolHeader
{
    private const byte VersionAndProxy = 0x21;
    private const byte VersionAndLocal = 0x20;
    private const byte TcpOverIpv4 = 0x11;
    private const byte TcpOverIpv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="version">1 or 2.</param>
    public static void Write(ByteBuffer output, int version, EndPoint source, EndPoint destination,
        IReadOnlyList<KeyValuePair<byte, byte[]>>? tlvs = null)
    {
        if (version == 1)
        {
            WriteText(output, source as IPEndPoint, destination as IPEndPoint);
        }
        else
        {
            WriteBinary(output, source as IPEndPoint, destination as IPEndPoint, tlvs ?? []);
        }
    }

    private static void WriteText(ByteBuffer output, IPEndPoint? source, IPEndPoint? destination)
    {
        if (source is null || destination is null || source.AddressFamily != destination.AddressFamily)
        {
            output.Append("PROXY UNKNOWN\r\n"u8);
            return;
        }
        var family = source.AddressFamily == AddressFamily.InterNetworkV6 ? "TCP6" : "TCP4";
        output.Append(Encoding.ASCII.GetBytes(
            $"PROXY {family} {source.Address} {destination.Address} {source.Port} {destination.Port}\r\n"));
    }

    private static void WriteBinary(ByteBuffer output, IPEndPoint? source, IPEndPoint? destination,
        IReadOnlyList<KeyValuePair<byte, byte[]>> tlvs)
    {
        var known = source is not null && destination is not null && source.AddressFamily == destination.AddressFamily;
        var v6 = known && source!.AddressFamily == AddressFamily.InterNetworkV6;
        var length = known ? v6 ? 36 : 12 : 0;
        foreach (var (_, value) in tlvs)
        {
            length += 3 + value.Length;
        }
        Span<byte> head = stackalloc byte[4];
        output.Append(Signature);
        head[0] = known ? VersionAndProxy : VersionAndLocal;
        head[1] = known ? v6 ? TcpOverIpv6 : TcpOverIpv4 : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)length);
        output.Append(head);
        if (known)
        {
            WriteAddresses(output, source!, destination!);
        }
        foreach (var (type, value) in tlvs)
        {
            head[0] = type;
            BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)value.Length);
            output.Append(head[..3]);
            output.Append(value);
        }
    }

    private static void WriteAddresses(ByteBuffer output, IPEndPoint source, IPEndPoint destination)
    {
        Span<byte> bytes = stackalloc byte[16];
        source.Address.TryWriteBytes(bytes, out var length);
        output.Append(bytes[..length]);
        destination.Address.TryWriteBytes(bytes, out length);
        output.Append(bytes[..length]);
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)destination.Port);
        output.Append(bytes[..4]);
    }
}
