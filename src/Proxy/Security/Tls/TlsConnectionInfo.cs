using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>The facts of one session, taken when they become known, so that logs written after the close still have them.</summary>
internal sealed class TlsConnectionInfo : ITlsConnectionInfo
{
    /// <summary>The peer's certificates as sent, leaf first. Also set when they were then refused.</summary>
    public CertificateFacts[] PeerChain { get; set; } = [];

    public CertificateFacts? Local { get; set; }

    public bool PeerCertificateValidated { get; set; }

    public byte[] SessionIdBytes { get; set; } = [];

    public string CipherSuite { get; set; } = "";

    public ushort CipherSuiteId { get; set; } = 0xffff;

    public string TlsVersion { get; set; } = "";

    public string Alpn { get; set; } = "";

    public string Sni { get; set; } = "";

    public bool PeerCertificatePresented => PeerChain.Length > 0;

    public IReadOnlyList<string> UriSansPeerCertificate => PeerNames.Uri;

    public IReadOnlyList<string> DnsSansPeerCertificate => PeerNames.Dns;

    public IReadOnlyList<string> IpSansPeerCertificate => PeerNames.Ip;

    public IReadOnlyList<string> EmailSansPeerCertificate => PeerNames.Email;

    public IReadOnlyList<string> OtherNameSansPeerCertificate => PeerNames.OtherValues;

    public IReadOnlyList<string> UriSansLocalCertificate => LocalNames.Uri;

    public IReadOnlyList<string> DnsSansLocalCertificate => LocalNames.Dns;

    public IReadOnlyList<string> IpSansLocalCertificate => LocalNames.Ip;

    public IReadOnlyList<string> EmailSansLocalCertificate => LocalNames.Email;

    public IReadOnlyList<string> OtherNameSansLocalCertificate => LocalNames.OtherValues;

    public IReadOnlyList<string> Sha256PeerCertificateChainDigests => Array.ConvertAll(PeerChain, static c => c.Sha256);

    public IReadOnlyList<string> Sha1PeerCertificateChainDigests => Array.ConvertAll(PeerChain, static c => c.Sha1);

    public IReadOnlyList<string> SerialNumbersPeerCertificateChain => Array.ConvertAll(PeerChain, static c => c.Serial);

    public string SubjectPeerCertificate => Peer?.Subject ?? "";

    public string SubjectLocalCertificate => Local?.Subject ?? "";

    public string IssuerPeerCertificate => Peer?.Issuer ?? "";

    public string Sha256PeerCertificateDigest => Peer?.Sha256 ?? "";

    public string Sha1PeerCertificateDigest => Peer?.Sha1 ?? "";

    public string SerialNumberPeerCertificate => Peer?.Serial ?? "";

    public DateTimeOffset? ValidFromPeerCertificate => Peer?.NotBefore;

    public DateTimeOffset? ExpirationPeerCertificate => Peer?.NotAfter;

    public string UrlEncodedPemPeerCertificate => Peer?.UrlEncodedPem ?? "";

    public string UrlEncodedPemPeerCertificateChain => string.Concat(Array.ConvertAll(PeerChain, static c => c.UrlEncodedPem));

    public string SessionId => SessionIdBytes.Length == 0 ? "" : Convert.ToHexStringLower(SessionIdBytes);

    private CertificateFacts? Peer => PeerChain.Length > 0 ? PeerChain[0] : null;

    internal SubjectAltNames PeerNames => Peer?.Names ?? SubjectAltNames.None;

    private SubjectAltNames LocalNames => Local?.Names ?? SubjectAltNames.None;
}
