using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Everything a template may look at. The pod is as the user wrote it: an earlier injection is taken out.</summary>
internal sealed record TemplateInput
{
    public required PodDocument Pod { get; init; }
    public required WorkloadOwner Owner { get; init; }
    public required InjectionValues Values { get; init; }
    public required MeshSettings Mesh { get; init; }
    public required ProxyConfiguration ProxyConfig { get; init; }

    /// <summary>The control plane's revision; `default` if it has none.</summary>
    public required string Revision { get; init; }
    public required bool NativeSidecar { get; init; }
    public required string Cluster { get; init; }
    public required string Network { get; init; }
    public required ProxyIdentity Identity { get; init; }

    /// <summary>Cryptographic policy of the control plane (COMPLIANCE_POLICY), or empty.</summary>
    public required string CompliancePolicy { get; init; }

    /// <summary>The annotation's value, or the value that stands for its absence.</summary>
    public string Annotation(string name, string otherwise) => Pod.Annotation(name) ?? otherwise;

    /// <summary>Names of the application's containers.</summary>
    public IEnumerable<string> Applications => Pod.Spec.Members("containers")
        .Select(container => container.Text("name") ?? "").Where(name => name != MeshNames.ProxyContainer);
}
