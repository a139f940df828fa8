using Envoy.Extensions.Clusters.Aggregate.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>envoy.clusters.aggregate: the priorities of its members in a row; the chosen priority's own cluster chooses the host.</summary>
internal sealed class AggregateCluster : ClusterBase, ILoadBalancerFactory
{
    private readonly string[] _members;
    private readonly ClusterManager _manager;
    private readonly uint _panicThreshold;

    public AggregateCluster(Cluster definition, ClusterConfig config, ClusterManager manager, ClusterEnvironment environment)
        : base(definition, environment)
    {
        _manager = manager;
        _members = [.. config.Clusters];
        _panicThreshold = (uint)(definition.CommonLbConfigValue?.HealthyPanicThreshold?.Value ?? 50);
    }

    /// <summary>Its members may need a control plane.</summary>
    public override bool IsPrimary => false;

    protected override ILoadBalancerFactory ProvidedBalancer => this;

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) => new Balancer(this, environment);

    protected override void StartDiscovery()
    {
        Publish([new HostSet(0, [], null, HostSetPolicy.Default, OwnLocality)], [], []);
        OnHostsFound();
    }

    private sealed class Balancer(AggregateCluster aggregate, LoadBalancerEnvironment environment) : LoadBalancer
    {
        private readonly List<(ClusterEntry Cluster, int Priority)> _priorities = [];
        private readonly List<HostSet[]> _known = [];
        private HostSet[] _sets = [];
        private PriorityLoads _loads = PriorityLoads.Compute([], 0);

        public override HostImpl? ChooseHost(ILoadBalancerContext? context)
        {
            Refresh();
            if (_sets.Length == 0)
            {
                return null;
            }
            var load = context?.RetryPriority is { } retry ? retry.DetermineLoad(PriorityLoads.Health(_sets), _loads.AsLoad) : _loads.AsLoad;
            var hash = context?.ComputeHashKey() ?? environment.Random();
            var (index, degraded) = PriorityLoads.Choose(load, hash);
            var (cluster, priority) = _priorities[index];
            return cluster.ChooseWithin(new MemberContext(context, priority, degraded));
        }

        // Members come, go and change at any time: their snapshots are compared by reference.
        private void Refresh()
        {
            var changed = false;
            var count = 0;
            foreach (var name in aggregate._members)
            {
                if (aggregate._manager.Get(name) is ClusterEntry member)
                {
                    var sets = member.Hosts.Sets;
                    changed |= count >= _known.Count || !ReferenceEquals(_known[count], sets);
                    count++;
                }
            }
            if (!changed && count == _known.Count)
            {
                return;
            }
            Rebuild();
        }

        private void Rebuild()
        {
            _known.Clear();
            _priorities.Clear();
            var all = new List<HostSet>();
            foreach (var name in aggregate._members)
            {
                if (aggregate._manager.Get(name) is not ClusterEntry member)
                {
                    continue;
                }
                var sets = member.Hosts.Sets;
                _known.Add(sets);
                for (var i = 0; i < sets.Length; i++)
                {
                    // An empty priority takes no part, so that it does not count as one that fails.
                    if (sets[i].Hosts.Length > 0)
                    {
                        all.Add(sets[i]);
                        _priorities.Add((member, i));
                    }
                }
            }
            _sets = all.ToArray();
            _loads = PriorityLoads.Compute(_sets, aggregate._panicThreshold);
        }
    }

    /// <summary>Tells a member which of its priorities was chosen.</summary>
    private sealed class MemberContext(ILoadBalancerContext? outer, int priority, bool degraded) : ILoadBalancerContext, IRetryPriority
    {
        public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatchCriteria => outer?.MetadataMatchCriteria;

        public Connection? DownstreamConnection => outer?.DownstreamConnection;

        public HeaderMap? DownstreamHeaders => outer?.DownstreamHeaders;

        public StreamInfo? RequestStreamInfo => outer?.RequestStreamInfo;

        public uint HostSelectionRetryCount => outer?.HostSelectionRetryCount ?? 0;

        public IRetryPriority RetryPriority => this;

        public TransportSocketOptions? UpstreamTransportSocketOptions => outer?.UpstreamTransportSocketOptions;

        public (string Address, bool Strict)? OverrideHostToSelect => outer?.OverrideHostToSelect;

        public ulong? ComputeHashKey() => outer?.ComputeHashKey();

        public bool ShouldSelectAnotherHost(Host host) => outer?.ShouldSelectAnotherHost(host) ?? false;

        public PriorityLoad DetermineLoad(IReadOnlyList<PriorityHealth> priorities, PriorityLoad original)
        {
            var all = new uint[priorities.Count];
            if (priority < all.Length)
            {
                all[priority] = 100;
            }
            var none = new uint[all.Length];
            return degraded ? new PriorityLoad(none, all) : new PriorityLoad(all, none);
        }

        public void OnHostAttempted(Host host)
        {
        }
    }
}
