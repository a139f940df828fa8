using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>getaddrinfo on the thread pool (envoy.network.dns_resolver.getaddrinfo); it knows no times to live.</summary>
internal sealed class SystemResolver : IDnsResolver
{
    // Envoy reports this for getaddrinfo, which says nothing of it.
    private static readonly TimeSpan AssumedTtl = TimeSpan.FromSeconds(60);

    public async Task<DnsAnswer> ResolveAsync(string name, DnsFamily family, CancellationToken cancellation)
    {
        try
        {
            var all = await System.Net.Dns.GetHostAddressesAsync(name, Wanted(family), cancellation);
            return new DnsAnswer(Array.ConvertAll(Filter(all, family), static address => new DnsAddress(address, AssumedTtl)));
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return DnsAnswer.NoName;
        }
        catch (SocketException error)
        {
            return DnsAnswer.Failed(error.Message);
        }
        catch (OperationCanceledException)
        {
            return DnsAnswer.Failed("DNS query cancelled");
        }
    }

    private static AddressFamily Wanted(DnsFamily family) => family switch
    {
        DnsFamily.V4Only => AddressFamily.InterNetwork,
        DnsFamily.V6Only => AddressFamily.InterNetworkV6,
        _ => AddressFamily.Unspecified,
    };

    private static IPAddress[] Filter(IPAddress[] all, DnsFamily family)
    {
        if (family is not (DnsFamily.Auto or DnsFamily.V4Preferred))
        {
            return all;
        }
        var first = family == DnsFamily.Auto ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return Array.Exists(all, address => address.AddressFamily == first)
            ? Array.FindAll(all, address => address.AddressFamily == first)
            : all;
    }
}
