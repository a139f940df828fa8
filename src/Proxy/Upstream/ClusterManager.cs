using System.Collections.Concurrent;
using Envoy.Config.Bootstrap.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Upstream.Clusters;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// All clusters. Changed on the main loop; looked up from any. A changed cluster warms beside the old one and takes its place
/// when it is ready.
/// </summary>
public sealed class ClusterManager : IClusterManager
{
    private readonly ClusterEnvironment _environment;
    private readonly ConcurrentDictionary<string, ClusterEntry> _active = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ManagedCluster> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ManagedCluster> _warming = new(StringComparer.Ordinal);
    private readonly ClusterStartup _startup;
    private readonly Dictionary<string, RefusedCluster> _refused = new(StringComparer.Ordinal);
    private CdsApi? _cds;
    private Action? _whenInitialized;
    private bool _initialized;
    private IDisposable? _heldAcknowledgement;

    public ClusterManager(ClusterEnvironment environment)
    {
        _environment = environment;
        Stats = new ClusterManagerStats(environment.Stats, _clusters, _warming);
        _startup = new ClusterStartup();
    }

    public event Action<string>? ClusterChanged;

    /// <summary>Makes the clients of <see cref="AsyncClient"/>; set by the server, as they need the router.</summary>
    public Func<string, IAsyncHttpClient?> AsyncClients { get; set; } = static _ => null;

    internal ClusterManagerStats Stats { get; }

    /// <summary>Clusters that take traffic, for config_dump and /clusters; main loop.</summary>
    public IEnumerable<ManagedCluster> Clusters => _clusters.Values;

    /// <summary>Clusters not yet ready, for config_dump; main loop.</summary>
    public IEnumerable<ManagedCluster> WarmingClusters => _warming.Values;

    public ICluster? Get(string name) => _active.TryGetValue(name, out var cluster) ? cluster : null;

    public IAsyncHttpClient? AsyncClient(string cluster) => AsyncClients(cluster);

    /// <summary>Whether a cluster of that name is known, ready or not: for checks of references.</summary>
    public bool Knows(string name) => _clusters.ContainsKey(name) || _warming.ContainsKey(name);

    /// <summary>Adds the bootstrap's clusters; they start with <see cref="StartPrimary"/>.</summary>
    /// <exception cref="ConfigurationException">One is refused, or two have one name.</exception>
    public void AddBootstrapClusters(Bootstrap bootstrap)
    {
        if (bootstrap.StaticResourcesValue is not { } resources)
        {
            RequireLocalCluster();
            return;
        }
        var compiled = new List<ManagedCluster>(resources.Clusters.Count);
        foreach (var definition in resources.Clusters)
        {
            if (Knows(definition.Name))
            {
                throw new ConfigurationException($"cluster manager: duplicate cluster '{definition.Name}'; names of static clusters must differ.");
            }
            var managed = new ManagedCluster(ClusterCompiler.Compile(definition, this, _environment), "", addedViaApi: false, DateTime.UtcNow);
            _clusters.Add(definition.Name, managed);
            compiled.Add(managed);
        }
        foreach (var managed in compiled)
        {
            Activate(managed);
            _startup.Add(managed.Cluster);
            Stats.ClusterAdded();
        }
        RequireLocalCluster();
    }

    /// <summary>Starts the clusters that need no control plane; <paramref name="whenReady"/> runs when all of them are warm.</summary>
    public void StartPrimary(Action whenReady) => _startup.StartPrimary(whenReady);

    /// <summary>Starts the others (EDS); <paramref name="whenReady"/> runs when they too are warm.</summary>
    public void StartSecondary(Action whenReady) => _startup.StartSecondary(whenReady);

    /// <summary>Prepares to follow the clusters of <paramref name="source"/>.</summary>
    /// <exception cref="ConfigurationException">The source cannot work.</exception>
    public void AddCds(Envoy.Config.Core.V3.ConfigSource source) =>
        _cds = new CdsApi(
            this, _environment.Subscriptions, source, _environment.Stats.Scope("cluster_manager.cds"),
            () => _startup.WhenDynamicReady(OnInitialized));

    /// <summary>Starts discovery of clusters; <paramref name="whenReady"/> runs when those of the first answer are warm, or there was none, or nobody is followed.</summary>
    public void StartCds(Action whenReady)
    {
        _whenInitialized = whenReady;
        if (_cds is { } cds)
        {
            cds.Start();
        }
        else
        {
            OnInitialized();
        }
    }

    /// <summary>version_info of the newest CDS push; empty when there was none.</summary>
    public string CdsVersion => _cds?.Version ?? "";

    /// <summary>Clusters that the newest push was refused for, for config_dump's error_state; main loop.</summary>
    public IReadOnlyDictionary<string, RefusedCluster> RefusedClusters => _refused;

    /// <summary>
    /// Adds a cluster, or warms a changed one to replace the old. False when nothing changes: the same content, or the name of
    /// a bootstrap cluster.
    /// </summary>
    /// <exception cref="ConfigurationException">The cluster is refused; what was there stays.</exception>
    public bool AddOrUpdate(Cluster definition, string version)
    {
        var name = definition.Name;
        _refused.Remove(name);
        var warming = _warming.GetValueOrDefault(name);
        var active = _clusters.GetValueOrDefault(name);
        if (active is { AddedViaApi: false } || IsSame(warming ?? active, definition))
        {
            return false;
        }
        // Counted before it is known whether the cluster is sound, as Envoy does.
        if (warming is null && active is null)
        {
            Stats.ClusterAdded();
        }
        else
        {
            Stats.ClusterModified();
        }
        ResourceChecks.CheckPacked(definition.Message, _environment.Validation, _environment.Unsupported);
        var cluster = ClusterCompiler.Compile(definition, this, _environment);
        warming?.Cluster.Dispose();
        var managed = new ManagedCluster(cluster, version, addedViaApi: true, DateTime.UtcNow);
        _warming[name] = managed;
        HoldAcknowledgement();
        _startup.AddDynamic(cluster, () => OnWarm(managed));
        return true;
    }

    /// <summary>Removes a cluster that discovery brought; requests under way finish. False for unknown and bootstrap clusters.</summary>
    public bool Remove(string name)
    {
        var removed = false;
        if (_warming.Remove(name, out var warming))
        {
            _startup.Forget(warming.Cluster);
            warming.Cluster.Dispose();
            removed = true;
        }
        if (_clusters.TryGetValue(name, out var active) && active.AddedViaApi)
        {
            _clusters.Remove(name);
            _active.TryRemove(name, out _);
            active.Cluster.Dispose();
            removed = true;
            ClusterChanged?.Invoke(name);
        }
        HoldAcknowledgement();
        if (removed)
        {
            Stats.ClusterRemoved();
        }
        return removed;
    }

    /// <summary>Names that discovery brought, ready or warming.</summary>
    public IReadOnlyCollection<string> DynamicNames()
    {
        var names = new HashSet<string>(_warming.Keys, StringComparer.Ordinal);
        foreach (var (name, managed) in _clusters)
        {
            if (managed.AddedViaApi)
            {
                names.Add(name);
            }
        }
        return names;
    }

    internal void NoteRefused(Cluster definition, string version, string reason) =>
        _refused[definition.Name] = new RefusedCluster(definition, version, reason, DateTime.UtcNow);

    internal ClusterBase? Find(string name) => _clusters.GetValueOrDefault(name)?.Cluster;

    private static bool IsSame(ManagedCluster? known, Cluster definition) =>
        known is not null && known.Definition.Message.Equals(definition.Message);

    private void OnWarm(ManagedCluster managed)
    {
        if (_warming.GetValueOrDefault(managed.Name) != managed)
        {
            return;
        }
        _warming.Remove(managed.Name);
        _clusters.TryGetValue(managed.Name, out var old);
        _clusters[managed.Name] = managed;
        Activate(managed);
        old?.Cluster.Dispose();
        HoldAcknowledgement();
    }

    private void OnInitialized()
    {
        _initialized = true;
        var ready = _whenInitialized;
        _whenInitialized = null;
        ready?.Invoke();
    }

    // Past the start, a control plane hears that clusters are accepted when they are ready: it may order what depends on
    // them behind that.
    private void HoldAcknowledgement()
    {
        if (_initialized && _warming.Count > 0)
        {
            _heldAcknowledgement ??= _environment.Subscriptions.Pause(Cluster.Descriptor.TypeUrl);
        }
        else if (_warming.Count == 0)
        {
            _heldAcknowledgement?.Dispose();
            _heldAcknowledgement = null;
        }
    }

    private void Activate(ManagedCluster managed)
    {
        if (managed.Name == _environment.LocalClusterName)
        {
            _environment.LocalHosts = managed.Cluster.Entry.Hosts;
        }
        _active[managed.Name] = managed.Cluster.Entry;
        ClusterChanged?.Invoke(managed.Name);
    }

    private void RequireLocalCluster()
    {
        if (_environment.LocalClusterName.Length > 0 && !_clusters.ContainsKey(_environment.LocalClusterName))
        {
            throw new ConfigurationException(
                $"local cluster '{_environment.LocalClusterName}' must be defined: add it to static_resources.clusters.");
        }
    }
}
