using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>`cluster_manager.…`.</summary>
internal sealed class ClusterManagerStats : IStatSource
{
    private static readonly StatBlockLayout Counters = new(
    [
        ("cluster_added", StatKind.Counter),
        ("cluster_modified", StatKind.Counter),
        ("cluster_removed", StatKind.Counter),
        ("cluster_updated", StatKind.Counter),
        ("cluster_updated_via_merge", StatKind.Counter),
        ("update_merge_cancelled", StatKind.Counter),
        ("update_out_of_merge_window", StatKind.Counter),
    ]);

    private static readonly StatBlockLayout Gauges = new(
    [
        ("active_clusters", StatKind.Gauge),
        ("warming_clusters", StatKind.Gauge),
    ]);

    private readonly StatBlock _counters;
    private readonly Dictionary<string, ManagedCluster> _active;
    private readonly Dictionary<string, ManagedCluster> _warming;

    public ClusterManagerStats(
        IStatsScope stats, Dictionary<string, ManagedCluster> active, Dictionary<string, ManagedCluster> warming)
    {
        _active = active;
        _warming = warming;
        var scope = stats.Scope("cluster_manager");
        _counters = scope.Block(Counters);
        scope.Observe(Gauges, this);
    }

    public long Read(int index) => index == 0 ? _active.Count : _warming.Count;

    public void ClusterAdded() => _counters.Inc(0);

    public void ClusterModified() => _counters.Inc(1);

    public void ClusterRemoved() => _counters.Inc(2);

    public void ClusterUpdated() => _counters.Inc(3);

    public void ClusterUpdatedViaMerge() => _counters.Inc(4);

    public void MergeCancelled() => _counters.Inc(5);

    public void UpdateOutOfMergeWindow() => _counters.Inc(6);
}
