using System.Net;

namespace MeshProxy.Interception.Settings;

/// <summary>What tells the proxy's own traffic from the application's.</summary>
public static class Owners
{
    /// <summary>UID and GID of the proxy in the injector's templates.</summary>
    public const string DefaultId = "1337";

    /// <summary>
    /// Source address of the proxy's connections to its application (istiod binds inbound clusters to it).
    /// </summary>
    public static readonly AddressRange IPv4Inbound = AddressRange.Host(IPAddress.Parse("127.0.0.6"));
    public static readonly AddressRange IPv6Inbound = AddressRange.Host(IPAddress.Parse("::6"));

    public static readonly AddressRange IPv4Loopback = AddressRange.Host(IPAddress.Loopback);
    public static readonly AddressRange IPv6Loopback = AddressRange.Host(IPAddress.IPv6Loopback);

    /// <summary>
    /// Mark of what the proxy sends to its own pod's address, so that it is intercepted again (TPROXY only).
    /// </summary>
    public const uint SelfCallMark = 1338;

    /// <summary>The included groups are one rule's matches; istio-iptables' own limit.</summary>
    public const int MaxOwnerGroups = 64;
}
