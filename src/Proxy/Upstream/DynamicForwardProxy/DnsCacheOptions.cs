using Envoy.Extensions.Common.DynamicForwardProxy.V3;
using MeshProxy.Proxy.Upstream.Clusters;
using MeshProxy.Proxy.Upstream.Dns;

namespace MeshProxy.Proxy.Upstream.DynamicForwardProxy;

/// <summary>DnsCacheConfig, compiled; defaults are its own.</summary>
internal sealed class DnsCacheOptions(DnsCacheConfig config)
{
    public string Name => config.Name;

    public DnsFamily Family { get; } = DnsOptions.FamilyOf(config.DnsLookupFamily);

    public IDnsResolver Resolver { get; } =
        DnsResolverCompiler.Compile(config.TypedDnsResolverConfig, config.DnsResolutionConfig, config.UseTcpForDnsLookups);

    public TimeSpan RefreshRate { get; } = config.DnsRefreshRate ?? TimeSpan.FromSeconds(60);

    public TimeSpan MinRefreshRate { get; } = config.DnsMinRefreshRate ?? TimeSpan.FromSeconds(5);

    public TimeSpan FailureRefreshRate { get; } =
        config.DnsFailureRefreshRate is { BaseInterval: { } basis } rate
            ? DnsOptions.FailureRate(basis, rate.MaxInterval).Base
            : config.DnsRefreshRate ?? TimeSpan.FromSeconds(60);

    /// <summary>Unused for so long, a name is forgotten.</summary>
    public TimeSpan HostTtl { get; } = config.HostTtl ?? TimeSpan.FromMinutes(5);

    public uint MaxHosts { get; } = config.MaxHosts ?? 1024;

    public uint MaxPending { get; } = config.DnsCacheCircuitBreaker?.MaxPendingRequests ?? 1024;

    /// <summary>Zero waits for ever.</summary>
    public TimeSpan QueryTimeout { get; } = config.DnsQueryTimeout ?? TimeSpan.FromSeconds(5);

    public IReadOnlyList<(string Host, uint Port)> Preresolved { get; } =
        [.. config.PreresolveHostnames.Select(static address => (address.Address, address.PortValue))];
}
