using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>STATIC: the hosts of load_assignment.</summary>
internal sealed class StaticCluster : ClusterBase
{
    private readonly HostAssignment _assignment;

    public StaticCluster(Cluster definition, ClusterEnvironment environment)
        : base(definition, environment)
    {
        var assignment = definition.LoadAssignment;
        _assignment = assignment is { } given ? AssignmentReader.Read(given) : new HostAssignment(HostSetPolicy.Default);
        if (assignment is { } drops)
        {
            Entry.Drops = DropOverloads.Read(drops);
        }
    }

    protected override void StartDiscovery()
    {
        Updater.Apply(_assignment);
        OnHostsFound();
    }
}
