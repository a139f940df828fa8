using MeshProxy.Proxy.Upstream.Clusters;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream;

/// <summary>A cluster with where it came from, for the manager and the admin interface.</summary>
public sealed class ManagedCluster
{
    internal ManagedCluster(ClusterBase cluster, string version, bool addedViaApi, DateTime lastUpdated)
    {
        Cluster = cluster;
        Version = version;
        AddedViaApi = addedViaApi;
        LastUpdated = lastUpdated;
    }

    public string Name => Cluster.Info.Name;

    /// <summary>As it came.</summary>
    public Cluster Definition => Cluster.Info.Definition;

    /// <summary>version_info of the response it came with; empty for bootstrap clusters.</summary>
    public string Version { get; }

    public bool AddedViaApi { get; }

    /// <summary>UTC.</summary>
    public DateTime LastUpdated { get; }

    public ICluster Facts => Cluster.Entry;

    internal ClusterBase Cluster { get; }
}
