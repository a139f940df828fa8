using Envoy.Config.Core.V3;
using Envoy.Extensions.Clusters.Dns.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Upstream.Dns;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using TypedFamily = Envoy.Extensions.Clusters.Common.Dns.V3.DnsLookupFamily;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>How a DNS cluster resolves, of either form of configuration; defaults are Envoy's.</summary>
internal sealed record DnsOptions
{
    private static readonly TimeSpan DefaultRefreshRate = TimeSpan.FromSeconds(5);

    public TimeSpan RefreshRate { get; init; } = DefaultRefreshRate;

    /// <summary>Null retries at the refresh rate.</summary>
    public (TimeSpan Base, TimeSpan Max)? FailureRefreshRate { get; init; }

    public TimeSpan? MinRefreshRate { get; init; }

    public bool RespectTtl { get; init; }

    /// <summary>Exclusive bound of what is added at random.</summary>
    public TimeSpan Jitter { get; init; }

    public DnsFamily Family { get; init; }

    /// <summary>All addresses are one host's.</summary>
    public bool Logical { get; init; }

    public required IDnsResolver Resolver { get; init; }

    public static DnsOptions FromCluster(Cluster definition, bool logical) => new()
    {
        RefreshRate = definition.DnsRefreshRate ?? DefaultRefreshRate,
        FailureRefreshRate = definition.DnsFailureRefreshRate is { } rate ? FailureRate(rate.BaseInterval!.Value, rate.MaxInterval) : null,
        RespectTtl = definition.RespectDnsTtl,
        Jitter = definition.DnsJitter ?? default,
        Family = FamilyOf(definition.DnsLookupFamilyValue),
        Logical = logical,
        Resolver = DnsResolverCompiler.Compile(
            definition.TypedDnsResolverConfig, Deprecated(definition), definition.UseTcpForDnsLookups),
    };

    public static DnsOptions FromExtension(DnsCluster config) => new()
    {
        RefreshRate = config.DnsRefreshRate ?? DefaultRefreshRate,
        FailureRefreshRate = config.DnsFailureRefreshRate is { } rate ? FailureRate(rate.BaseInterval!.Value, rate.MaxInterval) : null,
        MinRefreshRate = config.DnsMinRefreshRate,
        RespectTtl = config.RespectDnsTtl,
        Jitter = config.DnsJitter ?? default,
        Family = config.DnsLookupFamily switch
        {
            TypedFamily.V4Only => DnsFamily.V4Only,
            TypedFamily.V6Only => DnsFamily.V6Only,
            TypedFamily.V4Preferred => DnsFamily.V4Preferred,
            TypedFamily.All => DnsFamily.All,
            _ => DnsFamily.Auto,
        },
        Logical = config.AllAddressesInSingleEndpoint,
        Resolver = DnsResolverCompiler.Compile(config.TypedDnsResolverConfig),
    };

    public static DnsFamily FamilyOf(Cluster.DnsLookupFamily family) => family switch
    {
        Cluster.DnsLookupFamily.V4Only => DnsFamily.V4Only,
        Cluster.DnsLookupFamily.V6Only => DnsFamily.V6Only,
        Cluster.DnsLookupFamily.V4Preferred => DnsFamily.V4Preferred,
        Cluster.DnsLookupFamily.All => DnsFamily.All,
        _ => DnsFamily.Auto,
    };

    private static DnsResolutionConfig? Deprecated(Cluster definition)
    {
        if (definition.DnsResolutionConfig is { } config)
        {
            return config;
        }
        if (definition.DnsResolvers.Count == 0)
        {
            return null;
        }
        var resolvers = DnsResolutionConfig.New();
        resolvers.Resolvers.AddRange(definition.DnsResolvers);
        return resolvers;
    }

    /// <summary>Ten times the base at most, unless told otherwise (RefreshRate.max_interval).</summary>
    /// <exception cref="ConfigurationException">The maximum is below the base.</exception>
    public static (TimeSpan Base, TimeSpan Max) FailureRate(TimeSpan basis, TimeSpan? max) =>
        max is { } given && given < basis
            ? throw new ConfigurationException("dns_failure_refresh_rate must have max_interval >= base_interval")
            : (basis, max ?? basis * 10);
}
