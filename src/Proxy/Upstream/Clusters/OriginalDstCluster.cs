using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Envoy.Type.Metadata.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using Config = Envoy.Extensions.Clusters.OriginalDst.V3.OriginalDstCluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>ORIGINAL_DST: each connection goes where its client meant it to go; hosts are made on demand and forgotten when unused.</summary>
internal sealed class OriginalDstCluster : ClusterBase, ILoadBalancerFactory
{
    // Cluster.cleanup_interval.
    private static readonly TimeSpan DefaultCleanupInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<EndPoint, HostImpl> _hosts = new();
    private readonly DestinationRules _rules;
    private readonly TimeSpan _cleanupInterval;
    private readonly LoopTimer _cleanup;

    public OriginalDstCluster(Cluster definition, ClusterEnvironment environment)
        : base(definition, environment)
    {
        if (definition.LoadAssignment is { Endpoints.Count: > 0 })
        {
            throw new ConfigurationException($"ORIGINAL_DST clusters must have no load assignment configured: {definition.Name}");
        }
        _rules = DestinationRules.Compile(definition);
        _cleanupInterval = definition.CleanupInterval ?? DefaultCleanupInterval;
        _cleanup = environment.MainLoop.CreateTimer(OnCleanup);
    }

    protected override ILoadBalancerFactory ProvidedBalancer => this;

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) => new Balancer(this);

    public override void Dispose()
    {
        _cleanup.Disarm();
        base.Dispose();
    }

    protected override void StartDiscovery()
    {
        PublishHosts([], []);
        _cleanup.Arm(_cleanupInterval);
        OnHostsFound();
    }

    private HostImpl HostFor(EndPoint address)
    {
        if (_hosts.TryGetValue(address, out var known))
        {
            return known;
        }
        var made = CreateHost(new HostDescription { Address = address, Hostname = Info.Name + Addresses.Format(address) });
        var host = _hosts.GetOrAdd(address, made);
        if (ReferenceEquals(host, made))
        {
            Environment.MainLoop.Post(() => PublishHosts([made], []));
        }
        return host;
    }

    private void OnCleanup()
    {
        var removed = new List<HostImpl>();
        var youngest = Environment.MainLoop.Now - (long)_cleanupInterval.TotalMilliseconds;
        foreach (var (address, host) in _hosts)
        {
            // A host made in this interval may be about to get its first connection.
            if (!host.InUse && host.LastHealthyTime <= youngest && _hosts.TryRemove(address, out _))
            {
                removed.Add(host);
            }
        }
        if (removed.Count > 0)
        {
            PublishHosts([], removed);
        }
        _cleanup.Arm(_cleanupInterval);
    }

    private void PublishHosts(IReadOnlyCollection<HostImpl> added, IReadOnlyCollection<HostImpl> removed) =>
        Publish([new HostSet(0, [.. _hosts.Values], null, HostSetPolicy.Default, OwnLocality)], added, removed);

    private sealed class Balancer(OriginalDstCluster cluster) : LoadBalancer
    {
        public override HostImpl? ChooseHost(ILoadBalancerContext? context) =>
            context is not null && cluster._rules.Destination(context, cluster.Info.Traffic) is { } address ? cluster.HostFor(address) : null;
    }

    /// <summary>Where the destination is found.</summary>
    private sealed class DestinationRules(byte[]? header, MetadataKey? metadataKey, int? port)
    {
        private const string FilterStateKey = "envoy.network.transport_socket.original_dst_address";

        public static DestinationRules Compile(Cluster definition)
        {
            if (definition.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType)
            {
                return definition.ClusterType!.Value.TypedConfig is { } any
                    ? From(any.Unpack<Config>())
                    : new DestinationRules(null, null, null);
            }
            return definition.OriginalDstLbConfigValue is { } config
                ? new DestinationRules(Header(config.UseHttpHeader, config.HttpHeaderName), config.MetadataKey, (int?)config.UpstreamPortOverride)
                : new DestinationRules(null, null, null);
        }

        public EndPoint? Destination(ILoadBalancerContext context, StatBlock traffic)
        {
            var address = OfFilterState(context) ?? OfHeader(context, traffic) ?? OfMetadata(context) ?? Restored(context);
            return port is { } other && address is IPEndPoint ip ? AddressFormat.WithPort(ip, other) : address;
        }

        private static DestinationRules From(Config config) =>
            new(Header(config.UseHttpHeader, config.HttpHeaderName), config.MetadataKey, (int?)config.UpstreamPortOverride);

        private static byte[]? Header(bool use, string name) =>
            !use ? null : name.Length > 0 ? Encoding.ASCII.GetBytes(name) : KnownHeaders.Name(KnownHeader.EnvoyOriginalDstHost).ToArray();

        private static IPEndPoint? OfFilterState(ILoadBalancerContext context)
        {
            var state = context.RequestStreamInfo?.FilterState ?? context.DownstreamConnection?.StreamInfo.FilterState;
            return state?.Get(FilterStateKey)?.SerializeAsString() is { } text ? Parse(text) : null;
        }

        private IPEndPoint? OfHeader(ILoadBalancerContext context, StatBlock traffic)
        {
            if (header is null || context.DownstreamHeaders is not { } headers || !headers.TryGet(header, out var value))
            {
                return null;
            }
            if (Parse(Encoding.Latin1.GetString(value)) is { } address)
            {
                return address;
            }
            traffic.Inc(ClusterStat.OriginalDstHostInvalid);
            return null;
        }

        private IPEndPoint? OfMetadata(ILoadBalancerContext context)
        {
            if (metadataKey is not { } key)
            {
                return null;
            }
            return Of(context.RequestStreamInfo?.DynamicMetadata, key) ?? Of(context.DownstreamConnection?.StreamInfo.DynamicMetadata, key);
        }

        private static IPEndPoint? Of(DynamicMetadata? metadata, MetadataKey key) =>
            metadata is not null && MetadataPaths.Find(metadata, key) is MetadataValue.StringNode text ? Parse(text.Value) : null;

        private static EndPoint? Restored(ILoadBalancerContext context) =>
            context.DownstreamConnection?.Info is { LocalAddressRestored: true } info ? info.LocalAddress : null;

        // Port and address both have to be there: an address alone is not a destination.
        private static IPEndPoint? Parse(string text)
        {
            var colon = text.LastIndexOf(':');
            return colon > 0 && colon < text.Length - 1 && (text[0] == '[' || text.IndexOf(':') == colon)
                && IPEndPoint.TryParse(text, out var address) ? address : null;
        }
    }
}
