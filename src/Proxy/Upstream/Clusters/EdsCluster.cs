using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Transport;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>EDS: the hosts of a load assignment that a control plane or a file gives. Warm at its first answer, whatever it is.</summary>
internal sealed class EdsCluster : ClusterBase, ISubscriptionCallbacks
{
    private readonly ConfigSource _source;
    private readonly string _serviceName;
    private ISubscription? _subscription;
    private LoopTimer? _staleTimer;

    public EdsCluster(Cluster definition, ClusterEnvironment environment)
        : base(definition, environment)
    {
        var config = definition.EdsClusterConfigValue;
        if (config?.EdsConfig is not { } source)
        {
            throw new ConfigurationException($"cannot create an EDS cluster without an EDS config: give eds_cluster_config.eds_config in cluster {definition.Name}.");
        }
        _source = source;
        _serviceName = config.Value.ServiceName.Length > 0 ? config.Value.ServiceName : definition.Name;
        // Made here, so that a source that cannot work refuses the cluster; it follows the resource once it is started.
        _subscription = environment.Subscriptions.Subscribe(
            source, ClusterLoadAssignment.Descriptor.TypeUrl, [_serviceName], Info.Stats, this);
    }

    /// <summary>Endpoints from a file need nobody else.</summary>
    public override bool IsPrimary => IsFile(_source);

    /// <summary>Whether a cluster can start before any control plane: all but EDS from a server.</summary>
    public static bool NeedsNoServer(Cluster definition) =>
        definition.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType
        || definition.Type != Cluster.DiscoveryType.Eds
        || (definition.EdsClusterConfigValue?.EdsConfig is { } source && IsFile(source));

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        try
        {
            Apply(added);
        }
        finally
        {
            // A refused first answer is an answer: the cluster starts without hosts.
            OnHostsFound();
        }
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => OnHostsFound();

    public override void Dispose()
    {
        _subscription?.Dispose();
        _subscription = null;
        _staleTimer?.Disarm();
        base.Dispose();
    }

    private static bool IsFile(ConfigSource source) => source.ConfigSourceSpecifierCase
        is ConfigSource.ConfigSourceSpecifierOneofCase.Path or ConfigSource.ConfigSourceSpecifierOneofCase.PathConfigSource;

    protected override void StartDiscovery() => _subscription?.Start();

    private void Apply(IReadOnlyList<DecodedResource> added)
    {
        if (added.Count == 0)
        {
            Updates.Inc(UpdateStat.UpdateEmpty);
            return;
        }
        if (added.Count != 1)
        {
            throw new ConfigurationException($"Unexpected EDS resource length: {added.Count}; exactly one is expected for {_serviceName}.");
        }
        var assignment = ClusterLoadAssignment.From(added[0].Resource);
        if (assignment.ClusterName != _serviceName)
        {
            throw new ConfigurationException($"Unexpected EDS cluster (expecting {_serviceName}): {assignment.ClusterName}");
        }
        UnbuiltFields.Check(assignment.Message, Environment.Unsupported);
        var hosts = AssignmentReader.Read(assignment);
        _staleTimer?.Disarm();
        if (assignment.PolicyValue?.EndpointStaleAfter is { Ticks: > 0 } staleAfter)
        {
            Updates.Inc(UpdateStat.AssignmentTimeoutReceived);
            _staleTimer ??= Environment.MainLoop.CreateTimer(OnStale);
            _staleTimer.Arm(staleAfter);
        }
        if (Updater.Apply(hosts))
        {
            Entry.Drops = DropOverloads.Read(assignment);
        }
        else
        {
            Updates.Inc(UpdateStat.UpdateNoRebuild);
        }
    }

    private void OnStale()
    {
        Updates.Inc(UpdateStat.AssignmentStale);
        Updater.Apply(new HostAssignment(HostSetPolicy.Default));
    }
}
