using System.Net;
using System.Net.Sockets;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using MeshProxy.Proxy.Explanation;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Cli.Explain;

/// <summary>The address a client would reach a host at, as far as the configuration tells.</summary>
internal static class TargetAddress
{
    /// <summary>TEST-NET-2 (RFC 5737): no listener has it, so wildcard listeners are found.</summary>
    public static readonly IPAddress Unknown = IPAddress.Parse("198.51.100.1");

    /// <param name="askDns">The proxy runs here, so that names mean what they mean to the application.</param>
    /// <returns>Null when nobody knows.</returns>
    public static IPAddress? Find(ConfigurationDump dump, string host, int port, bool askDns)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return literal;
        }
        return OfVirtualHosts(dump, host, port) ?? OfTcpListeners(dump, host, port) ?? (askDns ? OfDns(host) : null);
    }

    // istiod lists a service's address among the domains of its virtual host.
    private static IPAddress? OfVirtualHosts(ConfigurationDump dump, string host, int port)
    {
        foreach (var table in dump.Routes)
        {
            foreach (var virtualHost in table.Resource.VirtualHosts)
            {
                if (Names(virtualHost, host, port) && AddressAmong(virtualHost) is { } address)
                {
                    return address;
                }
            }
        }
        return null;
    }

    private static bool Names(VirtualHost virtualHost, string host, int port)
    {
        foreach (var domain in virtualHost.Domains)
        {
            if (domain.Equals(host, StringComparison.OrdinalIgnoreCase) || domain.Equals($"{host}:{port}", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }

    private static IPAddress? AddressAmong(VirtualHost virtualHost)
    {
        foreach (var domain in virtualHost.Domains)
        {
            if (IPAddress.TryParse(domain, out var address))
            {
                return address;
            }
        }
        return null;
    }

    // Ports of TCP have a listener with the service's address, whose cluster bears the service's name.
    private static IPAddress? OfTcpListeners(ConfigurationDump dump, string host, int port)
    {
        foreach (var entry in dump.Listeners)
        {
            if (entry.Resource.Address?.SocketAddress is { } own && own.PortValue == (uint)port
                && IPAddress.TryParse(own.Address, out var address)
                && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
                && ClusterOf(entry.Resource)?.Split('|') is [.., var service]
                && (service.Equals(host, StringComparison.OrdinalIgnoreCase)
                    || service.StartsWith(host + ".", StringComparison.OrdinalIgnoreCase)))
            {
                return address;
            }
        }
        return null;
    }

    private static string? ClusterOf(Listener listener)
    {
        foreach (var filter in listener.FilterChains.SelectMany(static chain => chain.Filters))
        {
            if (filter.TypedConfig is { } typed && typed.TryUnpack<TcpProxy>(out var tcp))
            {
                return tcp.Cluster.Length > 0 ? tcp.Cluster : tcp.WeightedClusters?.Clusters.FirstOrDefault().Name;
            }
        }
        return null;
    }

    private static IPAddress? OfDns(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host).FirstOrDefault();
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
