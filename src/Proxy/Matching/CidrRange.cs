using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Matching;

/// <summary>An address range; IPv4 and IPv6 ranges never contain addresses of the other kind (IPv4-mapped ones count as IPv4).</summary>
public readonly struct CidrRange
{
    private readonly UInt128 _network;
    private readonly UInt128 _mask;
    private readonly bool _v6;

    private CidrRange(UInt128 network, UInt128 mask, bool v6) => (_network, _mask, _v6) = (network & mask, mask, v6);

    public static CidrRange Compile(Envoy.Config.Core.V3.CidrRange range, string field) =>
        Create(range.AddressPrefix, range.PrefixLen ?? 0, field);

    public static CidrRange Compile(global::Xds.Core.V3.CidrRange range, string field) =>
        Create(range.AddressPrefix, range.PrefixLen ?? 0, field);

    /// <summary>A length beyond the address's bits is cut to them, as Envoy does.</summary>
    public static CidrRange Create(string address, uint length, string field)
    {
        if (!IPAddress.TryParse(address, out var parsed))
        {
            throw new ConfigurationException($"{field}: malformed IP address: {address}; write an IPv4 or IPv6 address.");
        }
        var bits = parsed.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        var kept = (int)Math.Min(length, (uint)bits);
        var mask = kept == 0 ? UInt128.Zero : UInt128.MaxValue << (bits - kept);
        return new CidrRange(Bits(parsed), mask, bits == 128);
    }

    /// <summary>Bits of the prefix.</summary>
    public int Length => (int)UInt128.PopCount(_v6 ? _mask : _mask & uint.MaxValue);

    public bool Contains(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }
        return address.AddressFamily == AddressFamily.InterNetworkV6 == _v6 && ((Bits(address) & _mask) == _network);
    }

    public static bool AnyContains(CidrRange[] ranges, EndPoint? endPoint) =>
        endPoint is IPEndPoint ip && AnyContains(ranges, ip.Address);

    public static bool AnyContains(CidrRange[] ranges, IPAddress address)
    {
        foreach (ref readonly var range in ranges.AsSpan())
        {
            if (range.Contains(address))
            {
                return true;
            }
        }
        return false;
    }

    private static UInt128 Bits(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
