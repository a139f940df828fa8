using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream.Health;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>
/// A cluster as the main loop holds it: finds its hosts, warms, watches their health. Its type says how hosts are found. All
/// members on the main loop.
/// </summary>
internal abstract class ClusterBase : IDisposable
{
    private readonly InitManager _init = new();
    private Action? _onReady;
    private bool _hostsFound;
    private bool _ready;
    private bool _disposed;

    protected ClusterBase(Cluster definition, ClusterEnvironment environment)
    {
        Environment = environment;
        Info = new ClusterInfo(definition, environment, _init);
        Updates = Info.Stats.Block(UpdateStats.Layout);
        Entry = new ClusterEntry(Info, environment);
        OwnLocality = environment.Node.Locality is { } own ? AssignmentReader.ReadLocality(own) : null;
        Updater = new HostUpdater(this);
    }

    public ClusterInfo Info { get; }

    public ClusterEntry Entry { get; }

    public HealthChecker? HealthChecker { get; private set; }

    public OutlierDetector? OutlierDetector { get; private set; }

    public Locality? OwnLocality { get; }

    /// <summary>Primary clusters start before ADS, as ADS may need them; those that need a control plane start after it.</summary>
    public virtual bool IsPrimary => true;

    /// <summary>How the type itself chooses hosts (CLUSTER_PROVIDED); null when it takes a policy.</summary>
    protected virtual ILoadBalancerFactory? ProvidedBalancer => null;

    protected ClusterEnvironment Environment { get; }

    /// <summary>For what the cluster's type shares with filters.</summary>
    protected FactoryContext Context => Environment.ContextFor(Info.Stats, _init);

    protected StatBlock Updates { get; }

    protected HostUpdater Updater { get; }

    /// <summary>Second half of construction: what depends on the type.</summary>
    public void Compile()
    {
        Entry.BalancerFactory = LoadBalancerCompiler.Compile(Info.Definition, ProvidedBalancer, Environment.Runtime);
        Entry.LoadReports = (Entry.BalancerFactory as IWantsLoadReports)?.Reports;
        HealthChecker = HealthChecker.Compile(this, Environment);
        OutlierDetector = OutlierDetector.Compile(this, Environment);
        Entry.Hosts.Changed += OnHostsChanged;
    }

    /// <summary>Starts finding hosts; <paramref name="onReady"/> runs once when the cluster is warm.</summary>
    public void Initialize(Action onReady)
    {
        _onReady = onReady;
        StartDiscovery();
    }

    public virtual void Dispose()
    {
        if (_disposed)
        {
            return;
        }
        _disposed = true;
        HealthChecker?.Dispose();
        OutlierDetector?.Dispose();
        Entry.Info.TransportSockets.Dispose();
        Entry.Retire();
        GC.SuppressFinalize(this);
    }

    public HostImpl CreateHost(HostDescription facts)
    {
        var host = new HostImpl(Entry, facts, Environment.MainLoop.Now);
        if (Info.Tracked.PerEndpoint)
        {
            host.StatsScope = EndpointStats.Observe(Info, host);
        }
        if (HealthChecker is not null && !facts.DisableActiveHealthCheck)
        {
            host.Set(HealthFlags.FailedActiveHealthCheck);
            if (_ready && Info.Definition.CommonLbConfigValue is { IgnoreNewHostsUntilFirstHc: true })
            {
                host.Set(HealthFlags.PendingActiveHealthCheck);
            }
        }
        return host;
    }

    /// <summary>Publishes new host sets.</summary>
    public virtual void Publish(HostSet[] sets, IReadOnlyCollection<HostImpl> added, IReadOnlyCollection<HostImpl> removed) =>
        Entry.Hosts.Update(sets, added, removed);

    /// <summary>A host's flags changed: the lists by health are made again.</summary>
    public virtual void OnHealthChanged(HostImpl host)
    {
        Entry.Hosts.Resort();
        if (Info.CloseOnHostHealthFailure && host.Health == HostHealth.Unhealthy)
        {
            Entry.ForEachLoop(loop => loop.OnHostFailed(host));
        }
    }

    /// <summary>A host whose removal waited for its checks to fail.</summary>
    public void DropRemovedHost(HostImpl host) => Updater.Drop(host);

    protected abstract void StartDiscovery();

    /// <summary>The first hosts are known, or it is known that there are none yet: goes on to secrets and first health checks.</summary>
    protected void OnHostsFound()
    {
        if (_hostsFound)
        {
            return;
        }
        _hostsFound = true;
        _init.Initialize(() =>
        {
            if (HealthChecker is { } checker)
            {
                checker.Start(OnReady);
            }
            else
            {
                OnReady();
            }
        });
    }

    private void OnReady()
    {
        if (_ready || _disposed)
        {
            return;
        }
        _ready = true;
        var ready = _onReady;
        _onReady = null;
        ready?.Invoke();
    }

    private void OnHostsChanged(HostSetChange change)
    {
        // Counted once a priority, as Envoy publishes them.
        for (var left = change.Priorities.Count; left > 0; left--)
        {
            Updates.Inc(UpdateStat.MembershipChange);
        }
        HealthChecker?.OnHostsChanged(change);
        OutlierDetector?.OnHostsChanged(change);
        foreach (var host in change.Removed)
        {
            Entry.ForEachLoop(loop => loop.DrainHost(host));
            host.StatsScope?.Dispose();
        }
        if (Info.CloseOnHostSetChange && change.MembershipChanged)
        {
            Entry.ForEachLoop(static loop => loop.DrainAll(forDeletion: false));
        }
    }
}
