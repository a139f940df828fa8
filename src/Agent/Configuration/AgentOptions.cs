namespace MeshProxy.Agent.Configuration;

/// <summary>The command line of `proxy`, with pilot-agent's names.</summary>
public sealed record AgentOptions
{
    /// <summary>`sidecar` or `router`.</summary>
    public required string Role { get; init; }

    /// <summary>The DNS domain of the proxy; empty is that of its namespace.</summary>
    public string Domain { get; init; } = "";

    public string ProxyLogLevel { get; init; } = "warning";

    public string ProxyComponentLogLevel { get; init; } = "misc:error";

    /// <summary>Where outlier events are logged, or empty for nowhere.</summary>
    public string OutlierLogPath { get; init; } = "";
}
