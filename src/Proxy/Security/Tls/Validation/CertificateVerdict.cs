namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>The outcome of a validation.</summary>
/// <param name="Accepted">The handshake goes on.</param>
/// <param name="Proven">Something was verified, and held; false with ACCEPT_UNTRUSTED and without anything to verify against.</param>
/// <param name="Alert">TLS alert to send (RFC 8446 6.2) when refused.</param>
/// <param name="Detail">Envoy's sentence for the failure reason.</param>
internal readonly record struct CertificateVerdict(bool Accepted, bool Proven, byte Alert = 0, string Detail = "")
{
    public static readonly CertificateVerdict Unverified = new(true, false);

    public static readonly CertificateVerdict Verified = new(true, true);

    public static CertificateVerdict Refuse(byte alert, string detail) => new(false, false, alert, detail);
}
