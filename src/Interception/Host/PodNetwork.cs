using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Host;

/// <summary>What rules depend on besides settings: whether IPv6 is captured, and whose DNS is.</summary>
public sealed record PodNetwork(bool IPv6, bool CapturesDns, ImmutableArray<IPAddress> Resolvers)
{
    private const string ResolvConf = "/etc/resolv.conf";

    /// <summary>Looks at the addresses of the calling thread's network namespace and at resolv.conf.</summary>
    /// <param name="note">Receives a sentence for what is left out.</param>
    /// <exception cref="InterceptionException">The pod has no address, or resolv.conf is needed and cannot be
    /// read.</exception>
    public static PodNetwork Discover(InterceptionSettings settings, Action<string> note)
    {
        var ipv6 = CapturesIPv6(settings, LocalAddresses(), note);
        if (!settings.RedirectDns)
            return new PodNetwork(ipv6, false, []);
        if (settings.CaptureAllDns)
            return new PodNetwork(ipv6, true, []);
        var resolvers = ReadResolvers();
        if (resolvers.IsEmpty)
            note($"DNS is not captured: {ResolvConf} names no resolver.");
        return new PodNetwork(ipv6, !resolvers.IsEmpty, resolvers);
    }

    /// <summary>
    /// The first address decides, as istiod does for listeners: without dual stack the proxy listens on that family
    /// only, and capturing the other would cut it off.
    /// </summary>
    internal static bool CapturesIPv6(
        InterceptionSettings settings, IReadOnlyList<IPAddress> addresses, Action<string> note)
    {
        if (addresses.Count == 0)
            throw new InterceptionException(
                "The pod has no address besides loopback and link-local ones: run this after the network is set up.");
        var any = addresses.Any(a => a.AddressFamily == AddressFamily.InterNetworkV6);
        var first = addresses[0].AddressFamily == AddressFamily.InterNetworkV6;
        if (any && !first && !settings.DualStack)
            note("IPv6 is not captured although the pod has an IPv6 address: give --dual-stack if the mesh is dual "
                + "stack.");
        return first || (any && settings.DualStack);
    }

    // getifaddrs lists all IPv4 addresses before any IPv6 one (the kernel dumps family by family).
    internal static IReadOnlyList<IPAddress> LocalAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(u => u.Address)
            .Where(a => !IPAddress.IsLoopback(a) && !IsLinkLocal(a))
            .OrderBy(a => a.AddressFamily == AddressFamily.InterNetworkV6)];

    private static bool IsLinkLocal(IPAddress address) =>
        address.IsIPv6LinkLocal
        || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..]);

    private static ImmutableArray<IPAddress> ReadResolvers()
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(ResolvConf);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InterceptionException(
                $"{ResolvConf} cannot be read ({FailureReason.Of(e)}), and DNS is captured only to the resolvers it "
                + $"names: give --capture-all-dns.");
        }
        return [.. lines
            .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["nameserver", _, ..])
            .Select(words => IPAddress.TryParse(words[1], out var address) ? address : null)
            .OfType<IPAddress>()];
    }
}
