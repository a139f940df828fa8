namespace MeshProxy.Proxy.Transport;

/// <summary>Facts of an established TLS session (Envoy's Ssl::ConnectionInfo); the source of XFCC, RBAC principals and log operators.</summary>
public interface ITlsConnectionInfo
{
    bool PeerCertificatePresented { get; }

    bool PeerCertificateValidated { get; }

    IReadOnlyList<string> UriSansPeerCertificate { get; }

    IReadOnlyList<string> DnsSansPeerCertificate { get; }

    IReadOnlyList<string> IpSansPeerCertificate { get; }

    IReadOnlyList<string> EmailSansPeerCertificate { get; }

    IReadOnlyList<string> OtherNameSansPeerCertificate => [];

    IReadOnlyList<string> UriSansLocalCertificate { get; }

    IReadOnlyList<string> DnsSansLocalCertificate { get; }

    IReadOnlyList<string> IpSansLocalCertificate => [];

    IReadOnlyList<string> EmailSansLocalCertificate => [];

    IReadOnlyList<string> OtherNameSansLocalCertificate => [];

    /// <summary>SHA-256 digests of the peer's chain, leaf first.</summary>
    IReadOnlyList<string> Sha256PeerCertificateChainDigests => [];

    /// <summary>SHA-1 digests of the peer's chain, leaf first.</summary>
    IReadOnlyList<string> Sha1PeerCertificateChainDigests => [];

    /// <summary>Serial numbers of the peer's chain, leaf first.</summary>
    IReadOnlyList<string> SerialNumbersPeerCertificateChain => [];

    /// <summary>RFC 2253 form, as %DOWNSTREAM_PEER_SUBJECT%.</summary>
    string SubjectPeerCertificate { get; }

    string SubjectLocalCertificate { get; }

    string IssuerPeerCertificate { get; }

    /// <summary>SHA-256 of the DER form in lower-case hexadecimal.</summary>
    string Sha256PeerCertificateDigest { get; }

    /// <summary>SHA-1 of the DER form in lower-case hexadecimal.</summary>
    string Sha1PeerCertificateDigest { get; }

    /// <summary>Serial number in lower-case hexadecimal.</summary>
    string SerialNumberPeerCertificate { get; }

    DateTimeOffset? ValidFromPeerCertificate { get; }

    DateTimeOffset? ExpirationPeerCertificate { get; }

    /// <summary>URL-encoded PEM, as XFCC's Cert element.</summary>
    string UrlEncodedPemPeerCertificate { get; }

    string UrlEncodedPemPeerCertificateChain { get; }

    /// <summary>Hexadecimal; empty for TLS 1.3 without tickets.</summary>
    string SessionId { get; }

    /// <summary>As OpenSSL names it, e.g. ECDHE-RSA-AES128-GCM-SHA256.</summary>
    string CipherSuite { get; }

    /// <summary>IANA number; 0xffff when unknown.</summary>
    ushort CipherSuiteId { get; }

    /// <summary>TLSv1.2, TLSv1.3.</summary>
    string TlsVersion { get; }

    string Alpn { get; }

    string Sni { get; }
}
