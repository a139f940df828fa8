namespace MeshProxy.Interception.Cni.Repair;

/// <summary>Which pods are repaired, and how.</summary>
public sealed record RepairSettings
{
    public RepairMode Mode { get; init; } = RepairMode.Repair;

    public string NodeName { get; init; } = "";

    public string Kubeconfig { get; init; } = "";

    /// <summary>Where the node's runtime keeps the pods' network namespaces.</summary>
    public string NamespaceDirectory { get; init; } = "/var/run/netns";

    public string Label { get; init; } = "cni.istio.io/uninitialized";

    public bool NativeNftables { get; init; }

    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(5);
}
