using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Network.DnsResolver.Cares.V3;
using Envoy.Extensions.Network.DnsResolver.Getaddrinfo.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>Makes the resolver that configuration asks for; without any, one by resolv.conf.</summary>
internal static class DnsResolverCompiler
{
    private static readonly HostsFile Hosts = new();

    public static IDnsResolver Compile(TypedExtensionConfig? typed, DnsResolutionConfig? deprecated = null, bool useTcp = false)
    {
        if (typed?.TypedConfig is { } config)
        {
            if (config.TryUnpack<CaresDnsResolverConfig>(out var cares))
            {
                return new DnsResolver(FromCares(cares), Hosts);
            }
            return config.Is<GetAddrInfoDnsResolverConfig>()
                ? new SystemResolver()
                : throw new ConfigurationException($"Didn't find a registered implementation for name: '{typed?.Name}' in typed_dns_resolver_config.");
        }
        var settings = ResolverSettings.FromSystem() with { UseTcp = useTcp };
        return new DnsResolver(
            deprecated is { } old ? With(settings, old.Resolvers, old.DnsResolverOptions, fallback: false) : settings, Hosts);
    }

    private static ResolverSettings FromCares(CaresDnsResolverConfig cares)
    {
        var settings = With(
            ResolverSettings.FromSystem(), cares.Resolvers, cares.DnsResolverOptions, cares.UseResolversAsFallback);
        return settings with
        {
            Timeout = cares.QueryTimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : settings.Timeout,
            Tries = (int?)cares.QueryTries ?? settings.Tries,
        };
    }

    private static ResolverSettings With(
        ResolverSettings settings, Xds.Protobuf.MessageList<Address> resolvers, DnsResolverOptions? options, bool fallback)
    {
        var servers = new List<IPEndPoint>(fallback ? settings.Servers : []);
        foreach (var resolver in resolvers)
        {
            servers.Add(Addresses.Resolve(resolver) as IPEndPoint
                ?? throw new ConfigurationException("A DNS resolver must be given by socket_address."));
        }
        return settings with
        {
            Servers = servers.Count > 0 ? servers : settings.Servers,
            SearchDomains = options is { NoDefaultSearchDomain: true } ? [] : settings.SearchDomains,
            UseTcp = options?.UseTcpForDnsLookups ?? settings.UseTcp,
        };
    }
}
