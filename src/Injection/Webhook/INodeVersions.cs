namespace MeshProxy.Injection.Webhook;

/// <summary>What the nodes of the cluster can do.</summary>
internal interface INodeVersions
{
    /// <summary>Whether a pod's proxy may be a native sidecar.</summary>
    /// <param name="node">The node the pod is bound to, or null: then every node must know native sidecars.</param>
    bool KnowNativeSidecars(string? node);
}
