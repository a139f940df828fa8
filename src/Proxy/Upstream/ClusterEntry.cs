using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.LoadBalancing;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// A cluster as the data path sees it. Its facts are immutable, its hosts a snapshot; balancer and pools are per loop and made
/// when a loop first asks.
/// </summary>
internal sealed class ClusterEntry : ICluster
{
    private readonly ClusterEnvironment _environment;
    private readonly ClusterLoop?[] _loops;
    private ResourceManager? _defaultResources;
    private ResourceManager? _highResources;
    private ConnectionStats? _connectionStats;
    private volatile DropOverloads? _drops;
    private volatile bool _removed;

    public ClusterEntry(ClusterInfo info, ClusterEnvironment environment)
    {
        Info = info;
        _environment = environment;
        _loops = new ClusterLoop?[environment.Workers.Count + 1];
        ClusterGauges.Observe(this);
    }

    public ClusterInfo Info { get; }

    public PrioritySet Hosts { get; } = new();

    public ClusterMembers Members
    {
        get
        {
            var members = new ClusterMembers();
            foreach (var set in Hosts.Sets)
            {
                members = new ClusterMembers(members.Total + set.Hosts.Length, members.Healthy + set.Healthy.Length,
                    members.Degraded + set.Degraded.Length);
            }
            return members;
        }
    }

    /// <summary>How hosts are chosen; set by the cluster's type before it takes traffic.</summary>
    public ILoadBalancerFactory BalancerFactory { get; set; } = null!;

    /// <summary>Set when the policy wants what responses report of the hosts' load.</summary>
    public LoadReportOptions? LoadReports { get; set; }

    public ConnectionStats ConnectionStats => _connectionStats ??= new ConnectionStats(
        Info.Traffic,
        (int)ClusterStat.UpstreamCxRxBytesTotal,
        (int)ClusterStat.UpstreamCxRxBytesBuffered,
        (int)ClusterStat.UpstreamCxTxBytesTotal,
        (int)ClusterStat.UpstreamCxTxBytesBuffered);

    public EventLoop MainLoop => _environment.MainLoop;

    public IUpstreamConnector Connector => _environment.Connector;

    public IClientCodecFactory Codecs => _environment.Codecs;

    public string Name => Info.Name;

    public string MaintenanceModeKey => field ??= $"upstream.maintenance_mode.{Name}";

    public string ObservabilityName => Info.ObservabilityName;

    public Envoy.Config.Cluster.V3.Cluster Definition => Info.Definition;

    public DynamicMetadata Metadata => Info.Metadata;

    public IStatsScope Stats => Info.Stats;

    public StatBlock Traffic => Info.Traffic;

    public TrackedStats Tracked => Info.Tracked;

    public uint PerConnectionBufferLimitBytes => Info.PerConnectionBufferLimitBytes;

    public uint MaxResponseHeadersKb => Info.MaxResponseHeadersKb;

    public uint MaxResponseHeadersCount => Info.MaxResponseHeadersCount;

    public UpstreamHttpOptions HttpOptions => Info.HttpOptions;

    public bool Removed => _removed;

    /// <summary>Requests under way in all loops and priorities.</summary>
    public ulong ActiveRequests => (_defaultResources?.Requests.Count ?? 0) + (_highResources?.Requests.Count ?? 0);

    /// <summary>drop_overloads of the newest load assignment.</summary>
    public DropOverloads? Drops
    {
        get => _drops;
        set => _drops = value;
    }

    public ResourceManager Resources(RoutingPriority priority) => priority == RoutingPriority.High
        ? Volatile.Read(ref _highResources) ?? Make(ref _highResources, Info.HighLimits, "high")
        : Volatile.Read(ref _defaultResources) ?? Make(ref _defaultResources, Info.DefaultLimits, "default");

    /// <summary>Null while nothing was ever counted.</summary>
    public ResourceManager? UsedResources(RoutingPriority priority) =>
        Volatile.Read(ref priority == RoutingPriority.High ? ref _highResources : ref _defaultResources);

    public HostChoice ChooseHost(ILoadBalancerContext? context)
    {
        var host = OverrideHost(context);
        if (host is null && context?.OverrideHostToSelect is not { Strict: true })
        {
            host = OfCurrentLoop().Balancer.ChooseHost(context);
        }
        if (host is null)
        {
            Traffic.Inc(ClusterStat.UpstreamCxNoneHealthy);
            return new HostChoice(null);
        }
        return new HostChoice(host);
    }

    /// <summary>A choice made for an aggregate; its outcome is counted there.</summary>
    public HostImpl? ChooseWithin(ILoadBalancerContext context) => OfCurrentLoop().Balancer.ChooseHost(context);

    public IHttpConnectionPool? HttpPool(
        Host host, RoutingPriority priority, HttpProtocol? downstreamProtocol, ILoadBalancerContext? context) =>
        Owner((HostImpl)host).HttpPool((HostImpl)host, priority, downstreamProtocol, context);

    public ITcpConnectionPool? TcpPool(Host host, RoutingPriority priority, ILoadBalancerContext? context) =>
        Owner((HostImpl)host).TcpPool((HostImpl)host, priority, context);

    public DropDecision DropOverload() => _drops?.Draw(_environment.NextRandom()) ?? default;

    public LoadBalancer CreateBalancer(EventLoop loop)
    {
        var random = new Random();
        var balancing = new LoadBalancerEnvironment(
            Traffic, Stats, _environment.Runtime, () => _environment.LocalHosts, () => loop.Now,
            () => (ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64());
        return BalancerFactory.Create(Hosts, balancing);
    }

    /// <summary>Runs <paramref name="act"/> on each loop that has used the cluster; main loop only.</summary>
    public void ForEachLoop(Action<ClusterLoop> act)
    {
        foreach (var used in _loops)
        {
            if (used is not null)
            {
                used.Loop.Post(() => act(used));
            }
        }
    }

    /// <summary>Replaced or removed: idle connections close, requests finish, nothing new begins.</summary>
    public void Retire()
    {
        _removed = true;
        ForEachLoop(static loop => loop.DrainAll(forDeletion: true));
    }

    // Pools belong to the host's own cluster: an aggregate hands out hosts of its members.
    private static ClusterLoop Owner(HostImpl host) => host.Entry.OfCurrentLoop();

    // Made when first asked for: a cluster nobody calls has none.
    private ResourceManager Make(ref ResourceManager? place, CircuitBreakerLimits limits, string priority)
    {
        var made = new ResourceManager(limits, _environment.Runtime, $"circuit_breakers.{Name}.{priority}.");
        return Interlocked.CompareExchange(ref place, made, null) ?? made;
    }

    private HostImpl? OverrideHost(ILoadBalancerContext? context)
    {
        if (context?.OverrideHostToSelect is not { } wanted || Hosts.Find(wanted.Address) is not { } host)
        {
            return null;
        }
        return Info.OverrideHostStatuses.Allows(host) ? host : null;
    }

    private ClusterLoop OfCurrentLoop()
    {
        var loop = EventLoop.Current ?? throw new InvalidOperationException("A cluster is used from event loops only.");
        return _loops[loop.Index] ??= new ClusterLoop(this, loop);
    }
}
