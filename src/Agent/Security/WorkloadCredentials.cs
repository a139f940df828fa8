namespace MeshProxy.Agent.Security;

/// <summary>A workload's certificate with its key, and what it trusts; all PEM.</summary>
/// <param name="ChainPem">The certificate and those above it.</param>
/// <param name="KeyPem">Its key.</param>
/// <param name="RootPem">The authorities of peers.</param>
internal sealed record WorkloadCredentials(string ChainPem, string KeyPem, string RootPem);
