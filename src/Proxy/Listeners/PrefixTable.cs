using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Longest-prefix lookup of addresses; the entry without prefix takes what no prefix covers, and everything that has no IP address.</summary>
internal sealed class PrefixTable<T>
    where T : class, new()
{
    private readonly Dictionary<IPNetwork, T> _byPrefix = [];

    // Prefix lengths in use, longest first; IPv4 and IPv6 apart.
    private readonly List<int> _lengths4 = [];
    private readonly List<int> _lengths6 = [];
    private T? _any;

    public T GetOrAdd(IPNetwork? prefix)
    {
        if (prefix is not { } network)
        {
            return _any ??= new T();
        }
        if (!_byPrefix.TryGetValue(network, out var value))
        {
            _byPrefix[network] = value = new T();
            var lengths = network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? _lengths6 : _lengths4;
            if (!lengths.Contains(network.PrefixLength))
            {
                lengths.Add(network.PrefixLength);
                lengths.Sort((a, b) => b.CompareTo(a));
            }
        }
        return value;
    }

    public T? Find(IPAddress? address)
    {
        if (address is null)
        {
            return _any;
        }
        var lengths = address.AddressFamily == AddressFamily.InterNetworkV6 ? _lengths6 : _lengths4;
        foreach (var length in lengths)
        {
            if (_byPrefix.TryGetValue(IpPrefix.Mask(address, length), out var value))
            {
                return value;
            }
        }
        return _any;
    }
}

/// <summary>Networks from addresses whose host bits may be set.</summary>
internal static class IpPrefix
{
    public static IPNetwork Mask(IPAddress address, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var count);
        for (var i = 0; i < count; i++)
        {
            var bits = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - bits));
        }
        return new IPNetwork(new IPAddress(bytes[..count]), length);
    }
}
