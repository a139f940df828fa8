using MeshProxy.Injection.Configuration;

namespace MeshProxy.Injection.Offline;

/// <summary>What files are injected with.</summary>
public sealed record OfflineSettings
{
    public required InjectionValues Values { get; init; }
    public required MeshSettings Mesh { get; init; }
    public required string Revision { get; init; }

    /// <summary>Whether the cluster knows native sidecars; there is no cluster to ask.</summary>
    public required bool NativeSidecars { get; init; }
    public string CompliancePolicy { get; init; } = "";
}
