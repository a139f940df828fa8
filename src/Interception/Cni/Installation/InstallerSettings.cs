namespace MeshProxy.Interception.Cni.Installation;

/// <summary>
/// Where the node's directories are for the installer (mounted into its container), and what it writes there.
/// </summary>
public sealed record InstallerSettings
{
    public string ConfigurationDirectory { get; init; } = "/host/etc/cni/net.d";
    public string BinaryDirectory { get; init; } = "/host/opt/cni/bin";

    /// <summary>The configuration directory as the node itself sees it: the plugin runs there.</summary>
    public string HostConfigurationDirectory { get; init; } = "/etc/cni/net.d";

    /// <summary>File to add the plugin to; empty: the first in order of names, which is the one runtimes use.</summary>
    public string ConfigurationFile { get; init; } = "";

    /// <summary>The executable that is copied as the plugin.</summary>
    public string Executable { get; init; } = "/proc/self/exe";

    public string ServiceAccountDirectory { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";
    public string ApiHost { get; init; } = "";
    public string ApiPort { get; init; } = "443";

    /// <summary>Without Kubernetes: arguments of `init` for every attachment.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyList<string> ExcludedNamespaces { get; init; } = ["kube-system"];
    public string AgentNamespace { get; init; } = "";
    public bool NativeNftables { get; init; }

    /// <summary>Leave everything in place at the end: for upgrades, when a successor takes over.</summary>
    public bool Keep { get; init; }

    public bool UsesKubernetes => ApiHost.Length > 0;
}
