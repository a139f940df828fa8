using MeshProxy.Proxy.Listeners;

namespace MeshProxy.Proxy.Server;

/// <summary>What the command line decides (Envoy's flags), already validated. Defaults are Envoy's.</summary>
public sealed record ServerOptions
{
    /// <summary>Worker loops; default the CPUs the cgroup grants.</summary>
    public int Concurrency { get; init; } = Environment.ProcessorCount;

    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(600);

    public DrainStrategy DrainStrategy { get; init; } = DrainStrategy.Gradual;

    public TimeSpan ParentShutdownTime { get; init; } = TimeSpan.FromSeconds(900);

    public TimeSpan FileFlushInterval { get; init; } = TimeSpan.FromSeconds(10);

    public int FileFlushMinSizeKb { get; init; } = 64;

    /// <summary>--allow-unknown-static-fields and --reject-unknown-dynamic-fields, as they apply to what arrives later.</summary>
    public bool RejectUnknownDynamicFields { get; init; }

    public bool AllowUnknownStaticFields { get; init; }

    /// <summary>--service-cluster, --service-node, --service-zone; empty leaves the bootstrap's.</summary>
    public string ServiceCluster { get; init; } = "";

    public string ServiceNode { get; init; } = "";

    public string ServiceZone { get; init; } = "";

    /// <summary>--admin-address-path: a file to write the admin address to; empty for none.</summary>
    public string AdminAddressPath { get; init; } = "";

    /// <summary>The flags, for /server_info.</summary>
    public Envoy.Admin.V3.CommandLineOptions CommandLine { get; init; } = Envoy.Admin.V3.CommandLineOptions.New();

    /// <summary>--stats-tag: tags of every stat.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> StatsTags { get; init; } = [];

    /// <summary>
    /// The static listener that serves before configuration has come, so that who asks whether we are ready is told "no"
    /// and not left without an answer; empty for none. Its clusters must be static ones.
    /// </summary>
    public string EarlyListener { get; init; } = "";

    /// <summary>--mode validate: everything is compiled, nothing opened.</summary>
    public bool ValidateOnly { get; init; }
}
