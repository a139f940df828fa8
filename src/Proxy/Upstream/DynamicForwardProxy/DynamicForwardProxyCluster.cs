using System.Collections.Concurrent;
using System.Text;
using Envoy.Extensions.Clusters.DynamicForwardProxy.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Upstream.Clusters;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.DynamicForwardProxy;

/// <summary>envoy.clusters.dynamic_forward_proxy: goes to the host a request names, as the filter's DNS cache resolved it.</summary>
internal sealed class DynamicForwardProxyCluster : ClusterBase, ILoadBalancerFactory
{
    // StringAccessors of these names in the filter state replace the request's host and port.
    private const string HostKey = "envoy.upstream.dynamic_host";
    private const string PortKey = "envoy.upstream.dynamic_port";

    private readonly ConcurrentDictionary<string, HostImpl> _hosts = new(StringComparer.Ordinal);
    private readonly DnsCache _cache;
    private readonly int _defaultPort;

    public DynamicForwardProxyCluster(Cluster definition, ClusterConfig config, ClusterEnvironment environment)
        : base(definition, environment)
    {
        if (config.SubClustersConfig is not null || config.DnsCacheConfig is not { } cache)
        {
            throw new ConfigurationException($"Cluster {definition.Name}: sub_clusters_config is not supported; give dns_cache_config.");
        }
        if (!config.AllowInsecureClusterOptions && !(Info.HttpOptions.AutoSni && Info.HttpOptions.AutoSanValidation))
        {
            throw new ConfigurationException(
                "dynamic_forward_proxy cluster must have auto_sni and auto_san_validation true unless allow_insecure_cluster_options is set.");
        }
        _cache = DnsCache.Get(cache, Context);
        _defaultPort = Info.TransportSockets.Default.ImplementsSecureTransport ? 443 : 80;
    }

    protected override ILoadBalancerFactory ProvidedBalancer => this;

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) => new Balancer(this);

    public override void Dispose()
    {
        if (_cache is not null)
        {
            _cache.Changed -= OnChanged;
        }
        base.Dispose();
    }

    protected override void StartDiscovery()
    {
        PublishHosts([], []);
        _cache.Changed += OnChanged;
        foreach (var entry in _cache.Entries)
        {
            if (entry.Addresses.Length > 0)
            {
                OnChanged(entry, present: true);
            }
        }
        OnHostsFound();
    }

    private void OnChanged(DnsCacheEntry entry, bool present)
    {
        if (!present)
        {
            if (_hosts.TryRemove(entry.Key, out var gone))
            {
                PublishHosts([], [gone]);
            }
            return;
        }
        var facts = new HostDescription
        {
            Address = entry.Addresses[0],
            AdditionalAddresses = entry.Addresses[1..],
            Hostname = entry.Host,
        };
        if (_hosts.TryGetValue(entry.Key, out var known))
        {
            known.Update(facts);
            return;
        }
        var host = CreateHost(facts);
        _hosts[entry.Key] = host;
        PublishHosts([host], []);
    }

    private void PublishHosts(IReadOnlyCollection<HostImpl> added, IReadOnlyCollection<HostImpl> removed) =>
        Publish([new HostSet(0, [.. _hosts.Values], null, HostSetPolicy.Default, OwnLocality)], added, removed);

    private HostImpl? Choose(ILoadBalancerContext? context)
    {
        var state = context?.RequestStreamInfo?.FilterState ?? context?.DownstreamConnection?.StreamInfo.FilterState;
        var name = state?.Get(HostKey)?.SerializeAsString();
        if (name is null && context?.DownstreamHeaders is { } headers)
        {
            name = Encoding.Latin1.GetString(headers.Get(KnownHeader.Authority));
        }
        name ??= context?.DownstreamConnection?.Info.RequestedServerName;
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }
        var port = int.TryParse(state?.Get(PortKey)?.SerializeAsString(), out var given) ? given : _defaultPort;
        if (_cache.Find(name, port) is not { } entry)
        {
            return null;
        }
        entry.Touch(Transport.EventLoop.Current!.Now);
        return _hosts.GetValueOrDefault(entry.Key);
    }

    private sealed class Balancer(DynamicForwardProxyCluster cluster) : LoadBalancer
    {
        public override HostImpl? ChooseHost(ILoadBalancerContext? context) => cluster.Choose(context);
    }
}
