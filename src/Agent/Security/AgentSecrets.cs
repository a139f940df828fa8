using Envoy.Config.Core.V3;
using MeshProxy.ControlPlane.Discovery;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.ControlPlane.Security;

namespace MeshProxy.Agent.Security;

/// <summary>The workload's secrets, as the proxy is served them: `default` and `ROOTCA`, once there are any.</summary>
internal sealed class AgentSecrets : IResourceSource
{
    private ResourceSet _resources = ResourceSet.Empty;

    /// <inheritdoc/>
    public event Action? Changed;

    /// <summary>Serves other credentials from now on.</summary>
    public void Set(WorkloadCredentials credentials)
    {
        Volatile.Write(ref _resources, new ResourceSet(
        [
            SecretResource.OfCertificate(WorkloadSecrets.CertificateName, credentials.ChainPem, credentials.KeyPem),
            SecretResource.OfAuthorities(WorkloadSecrets.RootName, credentials.RootPem),
        ]));
        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public ResourceSet Resources(Node node, string? proven, string typeUrl) => Volatile.Read(ref _resources);
}
