using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Configuration;

/// <summary>Turns core.v3.Address into end points. Names are not resolved here: a cluster's DNS does that.</summary>
public static class Addresses
{
    /// <summary>The end point of an address that must be a literal; a ConfigurationException when it is a name or nothing.</summary>
    public static EndPoint Resolve(Address address) => address.AddressCase switch
    {
        Address.AddressOneofCase.SocketAddress => Resolve(address.SocketAddress!.Value),
        Address.AddressOneofCase.Pipe => new UnixDomainSocketEndPoint(KernelPath(address.Pipe!.Value.Path)),
        Address.AddressOneofCase.EnvoyInternalAddress => new InternalEndPoint(
            address.EnvoyInternalAddress!.Value.ServerListenerName, address.EnvoyInternalAddress!.Value.EndpointId),
        _ => throw new ConfigurationException("An address is empty: give socket_address, pipe or envoy_internal_address."),
    };

    public static IPEndPoint Resolve(Envoy.Config.Core.V3.SocketAddress address)
    {
        if (address.ResolverName.Length > 0)
        {
            throw new ConfigurationException($"Unknown address resolver: {address.ResolverName}; leave resolver_name empty.");
        }
        if (address.PortSpecifierCase == Envoy.Config.Core.V3.SocketAddress.PortSpecifierOneofCase.NamedPort)
        {
            throw new ConfigurationException($"IP resolver can't handle named_port '{address.NamedPort}'; set port_value.");
        }
        if (!TryParseLiteral(address.Address, out var ip))
        {
            throw new ConfigurationException(
                $"malformed IP address: {address.Address}. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'");
        }
        return new IPEndPoint(ip, (int)address.PortValue);
    }

    /// <summary>An address as inet_pton reads it: dotted quads without leading zeros, or RFC 4291 text.</summary>
    public static bool TryParseLiteral(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return IsStrictLiteral(text) && IPAddress.TryParse(text, out address);
    }

    /// <summary>`ip:port`, `[v6]:port`, a Unix path, `envoy://…`, as Envoy prints addresses.</summary>
    public static string Format(EndPoint address) => address switch
    {
        IPEndPoint ip => ip.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{ip.Address}]:{ip.Port}" : $"{ip.Address}:{ip.Port}",
        _ => address.ToString() ?? "",
    };

    // .NET also reads 127.1 and hexadecimal forms; the kernel's own inet_pton, and so Envoy, take dotted quads only.
    private static bool IsStrictLiteral(string text)
    {
        if (text.Contains(':'))
        {
            return !text.Contains('[');
        }
        var parts = 0;
        foreach (var range in text.AsSpan().Split('.'))
        {
            parts++;
            if (!IsDecimalByte(text.AsSpan(range)))
            {
                return false;
            }
        }
        return parts == 4;
    }

    private static bool IsDecimalByte(ReadOnlySpan<char> part) =>
        part.Length is > 0 and <= 3 && !part.ContainsAnyExceptInRange('0', '9') && (part.Length == 1 || part[0] != '0');

    // sockaddr_un.sun_path of Linux with its final NUL.
    private const int MaxPathBytes = 107;

    private static string KernelPath(string path) =>
        Encoding.UTF8.GetByteCount(path) > MaxPathBytes
            ? throw new ConfigurationException(
                $"Path \"{path}\" exceeds maximum UNIX domain socket path size of {MaxPathBytes + 1}.")
            : path.StartsWith('@') ? "\0" + path[1..] : path;
}
