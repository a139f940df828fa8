using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>What the bytes at the beginning of a connection turned out to be.</summary>
internal enum ProxyProtocolVerdict
{
    NeedMoreBytes,

    /// <summary>No PROXY header, and none can come.</summary>
    NotFound,
    Malformed,
    Complete,
}

/// <summary>Which header was recognised.</summary>
internal enum ProxyProtocolVersion
{
    None,
    V1,
    V2,
}

/// <summary>A PROXY protocol header.</summary>
/// <param name="Length">Bytes of the header with its TLVs.</param>
/// <param name="Source">Null keeps the socket's addresses (LOCAL, UNKNOWN).</param>
internal sealed record ProxyProtocolHeaderFacts(int Length, IPEndPoint? Source, IPEndPoint? Destination, IReadOnlyList<KeyValuePair<byte, byte[]>> Tlvs);

/// <summary>
/// Reads PROXY protocol headers, both versions (haproxy.org/download/2.9/doc/proxy-protocol.txt), as strictly as Envoy does.
/// Never throws on any bytes.
/// </summary>
internal static class ProxyProtocolHeaderParser
{
    /// <summary>Longest v1 line with its CRLF (section 2.1).</summary>
    private const int MaxV1Length = 107;

    private const int V2HeaderLength = 16;
    private const int Local = 0;
    private const int Proxy = 1;
    private const int Ipv4Family = 1;
    private const int Ipv6Family = 2;
    private const int Stream = 1;
    private const int Datagram = 2;
    private const int TlvHeaderLength = 3;

    /// <summary>Room for any header: the length field of v2 has 16 bits.</summary>
    public const int MaxLength = V2HeaderLength + ushort.MaxValue;

    private static ReadOnlySpan<byte> V1Signature => "PROXY "u8;

    private static ReadOnlySpan<byte> V2Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>True while the bytes may still become a header of either version.</summary>
    public static bool MayBeHeader(ReadOnlySpan<byte> data, bool v1, bool v2) =>
        (v1 && SharesPrefix(data, V1Signature)) || (v2 && SharesPrefix(data, V2Signature));

    public static ProxyProtocolVerdict Parse(ReadOnlySpan<byte> data, out ProxyProtocolVersion version, out ProxyProtocolHeaderFacts? header)
    {
        header = null;
        version = ProxyProtocolVersion.None;
        if (data.Length >= V2HeaderLength)
        {
            if (data.StartsWith(V2Signature))
            {
                version = ProxyProtocolVersion.V2;
                return ParseV2(data, out header);
            }
            if (!data.StartsWith(V1Signature))
            {
                return ProxyProtocolVerdict.NotFound;
            }
        }
        var end = data.IndexOf("\r\n"u8);
        if (end > 0)
        {
            version = ProxyProtocolVersion.V1;
            if (end + 2 > MaxV1Length)
            {
                return ProxyProtocolVerdict.Malformed;
            }
            header = ParseV1(data[..end], end + 2);
            return header is null ? ProxyProtocolVerdict.Malformed : ProxyProtocolVerdict.Complete;
        }
        return end < 0 && data.Length >= MaxV1Length ? ProxyProtocolVerdict.NotFound : ProxyProtocolVerdict.NeedMoreBytes;
    }

    private static bool SharesPrefix(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        var length = Math.Min(data.Length, signature.Length);
        return data[..length].SequenceEqual(signature[..length]);
    }

    private static ProxyProtocolHeaderFacts? ParseV1(ReadOnlySpan<byte> line, int length)
    {
        var fields = Encoding.Latin1.GetString(line).TrimEnd().Split(' ');
        if (fields.Length < 2 || fields[0] != "PROXY")
        {
            return null;
        }
        if (fields[1] == "UNKNOWN")
        {
            return new ProxyProtocolHeaderFacts(length, null, null, []);
        }
        var family = fields[1] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => AddressFamily.Unknown,
        };
        return fields.Length == 6 && family != AddressFamily.Unknown
            && EndPoint(fields[2], fields[4], family) is { } source && EndPoint(fields[3], fields[5], family) is { } destination
            ? new ProxyProtocolHeaderFacts(length, source, destination, [])
            : null;
    }

    private static IPEndPoint? EndPoint(string address, string port, AddressFamily family)
    {
        if (!Configuration.Addresses.TryParseLiteral(address, out var ip) || ip.AddressFamily != family || ScopeOf(ip) != 0
            || !IsUnicast(ip) || (port.Length > 1 && port[0] == '0')
            || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }
        return new IPEndPoint(ip, number);
    }

    private static long ScopeOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId : 0;

    private static ProxyProtocolVerdict ParseV2(ReadOnlySpan<byte> data, out ProxyProtocolHeaderFacts? header)
    {
        header = null;
        var command = data[12] & 0x0f;
        var family = data[13] >> 4;
        var transport = data[13] & 0x0f;
        var length = BinaryPrimitives.ReadUInt16BigEndian(data[14..]);
        var addressLength = AddressLength(command, family, transport);
        if (data[12] >> 4 != 2 || addressLength < 0 || length < addressLength)
        {
            return ProxyProtocolVerdict.Malformed;
        }
        if (data.Length < V2HeaderLength + length)
        {
            return ProxyProtocolVerdict.NeedMoreBytes;
        }
        var body = data.Slice(V2HeaderLength, length);
        if (command == Local)
        {
            header = new ProxyProtocolHeaderFacts(V2HeaderLength + length, null, null, []);
            return ProxyProtocolVerdict.Complete;
        }
        var size = family == Ipv4Family ? 4 : 16;
        var source = new IPEndPoint(
            new IPAddress(body[..size]), BinaryPrimitives.ReadUInt16BigEndian(body[(2 * size)..]));
        var destination = new IPEndPoint(
            new IPAddress(body.Slice(size, size)), BinaryPrimitives.ReadUInt16BigEndian(body[((2 * size) + 2)..]));
        if (!IsUnicast(source.Address) || !IsUnicast(destination.Address) || !ParseTlvs(body[addressLength..], out var tlvs))
        {
            return ProxyProtocolVerdict.Malformed;
        }
        header = new ProxyProtocolHeaderFacts(V2HeaderLength + length, source, destination, tlvs);
        return ProxyProtocolVerdict.Complete;
    }

    // Negative where Envoy takes no such header: unknown commands, UNSPEC and Unix addresses with PROXY.
    private static int AddressLength(int command, int family, int transport) => command switch
    {
        Local => 0,
        Proxy when transport is Stream or Datagram => family switch
        {
            Ipv4Family => 12,
            Ipv6Family => 36,
            _ => -1,
        },
        _ => -1,
    };

    private static bool ParseTlvs(ReadOnlySpan<byte> data, out IReadOnlyList<KeyValuePair<byte, byte[]>> tlvs)
    {
        tlvs = [];
        List<KeyValuePair<byte, byte[]>>? found = null;
        while (!data.IsEmpty)
        {
            if (data.Length < TlvHeaderLength)
            {
                return false;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(data[1..]);
            if (data.Length < TlvHeaderLength + length)
            {
                return false;
            }
            (found ??= []).Add(new(data[0], data.Slice(TlvHeaderLength, length).ToArray()));
            data = data[(TlvHeaderLength + length)..];
        }
        tlvs = found is null ? [] : found;
        return true;
    }

    private static bool IsUnicast(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return !address.Equals(IPAddress.IPv6Any) && !address.IsIPv6Multicast;
        }
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        // 224.0.0.0/4 (RFC 5771).
        return !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.Broadcast) && bytes[0] >> 4 != 14;
    }
}
