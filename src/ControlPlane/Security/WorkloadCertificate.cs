namespace MeshProxy.ControlPlane.Security;

/// <summary>A certificate that was issued.</summary>
/// <param name="ChainPem">The certificate and those between it and the root.</param>
/// <param name="KeyPem">Its key.</param>
/// <param name="RenewAt">Half of its life: when the next one takes its place.</param>
internal sealed record WorkloadCertificate(string ChainPem, string KeyPem, DateTimeOffset RenewAt);
