using System.Text.Json.Nodes;
using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Templates;

namespace MeshProxy.Injection.Pods;

/// <summary>A pod to inject and what is known around it.</summary>
internal sealed record InjectionRequest
{
    /// <summary>The pod or pod template: `metadata` and `spec`. It is not changed.</summary>
    public required JsonObject Pod { get; init; }
    public required WorkloadOwner Owner { get; init; }
    public required InjectionValues Values { get; init; }
    public required MeshSettings Mesh { get; init; }
    public required string Revision { get; init; }

    /// <summary>Whether the nodes that the pod may run on know native sidecars.</summary>
    public required bool NativeSidecars { get; init; }

    /// <summary>Environment that the caller's URL asks for.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public ProxyIdentity Identity { get; init; } = ProxyIdentity.Default;
    public string CompliancePolicy { get; init; } = "";

    /// <summary>Told of what is odd but no reason to refuse.</summary>
    public required Action<string> Warn { get; init; }
}
