using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Agent.Security;

/// <summary>A workload's certificate with its key, and what it trusts; all PEM.</summary>
/// <param name="ChainPem">The certificate and those above it.</param>
/// <param name="KeyPem">Its key.</param>
/// <param name="RootPem">The authorities of peers.</param>
internal sealed record WorkloadCredentials(string ChainPem, string KeyPem, string RootPem)
{
    /// <summary>When the certificate ends.</summary>
    /// <exception cref="CryptographicException">The chain is malformed.</exception>
    public DateTimeOffset Expiry()
    {
        using var leaf = X509Certificate2.CreateFromPem(ChainPem);
        return leaf.NotAfter.ToUniversalTime();
    }
}
