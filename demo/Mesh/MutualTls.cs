namespace MeshProxy.Demo.Mesh;

/// <summary>The mode of a PeerAuthentication: what a workload's sidecar accepts from its callers.</summary>
public enum MutualTls
{
    /// <summary>Mutual TLS alone; plaintext is refused.</summary>
    Strict,

    /// <summary>Mutual TLS and plaintext on the same port.</summary>
    Permissive,
}
