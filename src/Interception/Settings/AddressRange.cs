using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Interception.Settings;

/// <summary>
/// An address with a prefix length. Host bits are allowed, as iptables and nft allow them, and kept so that rules show
/// what was asked for;
/// <see cref="Network"/> is the range without them.
/// </summary>
public sealed record AddressRange(IPAddress Address, int PrefixLength)
{
    public bool IsIPv6 => Address.AddressFamily == AddressFamily.InterNetworkV6;

    public bool IsLoopback => IPAddress.IsLoopback(Address);

    public IPNetwork Network => new(Masked(), PrefixLength);

    public static AddressRange Host(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);

    public static bool TryParse(string text, out AddressRange? range)
    {
        range = null;
        var slash = text.IndexOf('/');
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var address))
            return false;
        // IPAddress reads "10.1" as 10.0.0.1; a range has to be written in full.
        if (address.AddressFamily == AddressFamily.InterNetwork && text.AsSpan(0, slash).Count('.') != 3)
            return false;
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > address.GetAddressBytes().Length * 8)
            return false;
        range = new AddressRange(address, length);
        return true;
    }

    public bool Contains(IPAddress address) => Network.Contains(address);

    public override string ToString() => $"{Address}/{PrefixLength}";

    private IPAddress Masked()
    {
        var bytes = Address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(PrefixLength - i * 8, 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }
        return new IPAddress(bytes);
    }
}
