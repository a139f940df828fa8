using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream;

/// <summary>A cluster as it was refused, for config_dump's error_state.</summary>
/// <param name="LastAttempt">UTC.</param>
public sealed record RefusedCluster(Cluster Definition, string Version, string Reason, DateTime LastAttempt);
