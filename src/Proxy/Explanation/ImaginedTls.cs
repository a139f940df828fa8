using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Explanation;

/// <summary>A session with a client whose certificate, if it shows one, was verified and bears one URI name.</summary>
internal sealed class ImaginedTls(TrafficFacts traffic) : ITlsConnectionInfo
{
    public bool PeerCertificatePresented => traffic.Principal.Length > 0;

    public bool PeerCertificateValidated => traffic.Principal.Length > 0;

    public IReadOnlyList<string> UriSansPeerCertificate { get; } = traffic.Principal.Length > 0 ? [traffic.Principal] : [];

    public IReadOnlyList<string> DnsSansPeerCertificate => [];

    public IReadOnlyList<string> IpSansPeerCertificate => [];

    public IReadOnlyList<string> EmailSansPeerCertificate => [];

    public IReadOnlyList<string> UriSansLocalCertificate => [];

    public IReadOnlyList<string> DnsSansLocalCertificate => [];

    public IReadOnlyList<string> EmailSansLocalCertificate => [];

    public string SubjectPeerCertificate => "";

    public string SubjectLocalCertificate => "";

    public string IssuerPeerCertificate => "";

    public string Sha256PeerCertificateDigest => "";

    public string Sha1PeerCertificateDigest => "";

    public string SerialNumberPeerCertificate => "";

    public DateTimeOffset? ValidFromPeerCertificate => null;

    public DateTimeOffset? ExpirationPeerCertificate => null;

    public string UrlEncodedPemPeerCertificate => "";

    public string UrlEncodedPemPeerCertificateChain => "";

    public string SessionId => "";

    public string CipherSuite => "";

    public ushort CipherSuiteId => 0xffff;

    public string TlsVersion => "TLSv1.3";

    public string Alpn => traffic.ApplicationProtocols is [var first, ..] ? first : "";

    public string Sni => traffic.ServerName;
}
