using MeshProxy.Proxy.Security.Tls.Certificates;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Decides on the peer's certificates during the handshake; immutable, used by all loops (Envoy's CertValidator).</summary>
internal interface ICertificateValidator
{
    /// <summary>OpenSSL's SSL_VERIFY_ flags for a server that requires, or does not require, client certificates.</summary>
    int VerifyMode(bool requireClientCertificate);

    CertificateVerdict Verify(in PeerCertificates peer, TlsStats stats);

    /// <summary>Subjects told to clients as acceptable authorities: DER names.</summary>
    IReadOnlyList<byte[]> AuthorityNames { get; }

    /// <summary>The trust anchors, for /certs.</summary>
    IReadOnlyList<LoadedCertificate> Authorities { get; }

    /// <summary>Whether an accepted certificate was proven: a resumed session has the verdict of the first.</summary>
    bool ProvesIdentity { get; }
}
