using MeshProxy.Injection.Offline;
using MeshProxy.Injection.Templates;

namespace MeshProxy.Injection.Webhook;

/// <summary>What does not change while the webhook runs.</summary>
internal sealed record ReviewerSettings
{
    public required string Revision { get; init; }
    public required NativeSidecarMode NativeSidecars { get; init; }

    /// <summary>The cluster's nodes, or null if they cannot be asked for.</summary>
    public INodeVersions? Nodes { get; init; }
    public string CompliancePolicy { get; init; } = "";

    /// <summary>User and group of the proxy by namespace.</summary>
    public Func<string, CancellationToken, ValueTask<ProxyIdentity>> Identity { get; init; } =
        (_, _) => ValueTask.FromResult(ProxyIdentity.Default);
}
