using System.Security.Cryptography;
using Envoy.Config.Core.V3;
using MeshProxy.ControlPlane.Discovery;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.ControlPlane.Security;

namespace MeshProxy.Agent.Security;

/// <summary>The workload's secrets, as the proxy is served them: `default` and `ROOTCA`, once there are any.</summary>
internal sealed class AgentSecrets : IResourceSource
{
    private ResourceSet _resources = ResourceSet.Empty;
    private WorkloadCredentials? _credentials;

    /// <inheritdoc/>
    public event Action? Changed;

    /// <summary>When the certificate that is served ends; null without one, or when it cannot be read.</summary>
    public DateTimeOffset? Expiry
    {
        get
        {
            try
            {
                return Volatile.Read(ref _credentials)?.Expiry();
            }
            catch (CryptographicException)
            {
                return null;
            }
        }
    }

    /// <summary>Serves other credentials from now on.</summary>
    public void Set(WorkloadCredentials credentials)
    {
        Volatile.Write(ref _resources, new ResourceSet(
        [
            SecretResource.OfCertificate(WorkloadSecrets.CertificateName, credentials.ChainPem, credentials.KeyPem),
            SecretResource.OfAuthorities(WorkloadSecrets.RootName, credentials.RootPem),
        ]));
        Volatile.Write(ref _credentials, credentials);
        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public ResourceSet Resources(Node node, string? proven, string typeUrl) => Volatile.Read(ref _resources);
}
