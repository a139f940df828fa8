using Envoy.Config.Core.V3;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.ControlPlane.Security;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>All that is served: the folder's resources, and secrets of the authority. Says when it changed.</summary>
/// <param name="folder">The resources.</param>
/// <param name="trustDomain">Of the identities.</param>
/// <param name="metrics">Count changes and certificates.</param>
/// <param name="log">Gets one sentence an event.</param>
internal sealed class DiscoverySource(ResourceFolder folder, string trustDomain, ControlPlaneMetrics metrics, Action<string> log) : IResourceSource
{
    private readonly ResourceFolder _folder = folder;
    private readonly string _trustDomain = trustDomain;
    private readonly Action<string> _log = log;

    /// <inheritdoc/>
    public event Action? Changed;

    /// <summary>Where certificates come from.</summary>
    public required WorkloadSecrets Secrets { get; init; }

    public void RaiseChanged()
    {
        metrics.CountChange();
        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public ResourceSet Resources(Node node, string? proven, string typeUrl)
    {
        var resources = _folder.Content.Resources(node.Id, typeUrl);
        if (typeUrl != ResourceTypes.Secret)
            return resources;
        if (WorkloadIdentity.Of(node, _trustDomain) is not { } identity)
        {
            metrics.CountCertificateRefused();
            _log($"{node.Id} gets no certificate: its metadata needs NAMESPACE and SERVICE_ACCOUNT, both Kubernetes names.");
            return resources;
        }
        if (proven is not null && proven != identity.Uri)
        {
            metrics.CountCertificateRefused();
            _log($"{node.Id} gets no certificate of {identity.Uri}: its connection is {proven}'s.");
            return resources;
        }
        var secrets = Secrets.Of(identity, out var issued);
        metrics.CountCertificate(issued);
        return new ResourceSet(secrets.Concat(resources.All));
    }
}
