namespace MeshProxy.Proxy.Security.Tls.Certificates;

/// <summary>First octet of the key usage extension (RFC 5280 4.2.1.3).</summary>
[Flags]
internal enum CertificateUsages
{
    None = 0,
    CrlSign = 0x02,
    KeyCertSign = 0x04,
    KeyAgreement = 0x08,
    KeyEncipherment = 0x20,
    DigitalSignature = 0x80,
}
