using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>
/// `envoy.tls.cert_validator.spiffe`: the leaf's trust domain chooses the authorities (SPIFFE X509-SVID 4, 5); then names.
/// </summary>
internal sealed class SpiffeCertificateValidator : ICertificateValidator
{
    private const string Scheme = "spiffe://";

    private readonly IReadOnlyDictionary<string, TrustStore> _bundles;
    private readonly IReadOnlyList<SubjectAltNameMatcher> _names;

    public SpiffeCertificateValidator(IReadOnlyDictionary<string, TrustStore> bundles, IReadOnlyList<SubjectAltNameMatcher> names)
    {
        _bundles = bundles;
        _names = names;
        Authorities = [.. bundles.Values.SelectMany(static b => b.Anchors)];
        AuthorityNames = [.. Authorities.Select(static a => a.SubjectName)];
    }

    public IReadOnlyList<byte[]> AuthorityNames { get; }

    public IReadOnlyList<LoadedCertificate> Authorities { get; }

    public bool ProvesIdentity => true;

    public int VerifyMode(bool requireClientCertificate) => requireClientCertificate
        ? OpenSslConstants.VerifyPeer | OpenSslConstants.VerifyFailIfNoPeerCertificate
        : OpenSslConstants.VerifyPeer;

    public CertificateVerdict Verify(in PeerCertificates peer, TlsStats stats)
    {
        if (peer.Facts.IsAuthority
            || (peer.Facts.Usages is { } usages && (usages & (CertificateUsages.CrlSign | CertificateUsages.KeyCertSign)) != 0))
        {
            return Refuse(stats, TlsStat.FailVerifyError, TlsAlerts.CertificateUnknown, "verify cert failed: SPIFFE: leaf may sign");
        }
        if (!_bundles.TryGetValue(TrustDomain(peer.Facts.Names), out var bundle))
        {
            return Refuse(stats, TlsStat.FailVerifyError, TlsAlerts.CertificateUnknown, "verify cert failed: no trust bundle store");
        }
        var error = bundle.Verify(peer.Leaf, peer.Sent, peer.PeerIsClient, out var detail);
        if (error != 0)
        {
            return Refuse(stats, TlsStat.FailVerifyError, TlsAlerts.ForVerifyError(error), detail);
        }
        if (peer.RequiredNames.Count > 0 && !RequiredNames.Match(peer.RequiredNames, peer.Facts.Names))
        {
            return Refuse(stats, TlsStat.FailVerifySan, TlsAlerts.CertificateUnknown, "verify cert failed: verify SAN list");
        }
        foreach (var matcher in _names)
        {
            if (matcher.Match(peer.Facts.Names))
            {
                return CertificateVerdict.Verified;
            }
        }
        return _names.Count == 0 ? CertificateVerdict.Verified
            : Refuse(stats, TlsStat.FailVerifySan, TlsAlerts.CertificateUnknown, "verify cert failed: SAN match");
    }

    private static CertificateVerdict Refuse(TlsStats stats, TlsStat stat, byte alert, string detail)
    {
        stats.Inc(stat);
        return CertificateVerdict.Refuse(alert, detail);
    }

    // An SVID has one URI; of several the first decides, as in Envoy. No domain is no bundle's name.
    private static string TrustDomain(SubjectAltNames names)
    {
        if (names.Uri.Count == 0 || !names.Uri[0].StartsWith(Scheme, StringComparison.Ordinal))
        {
            return "";
        }
        var rest = names.Uri[0].AsSpan(Scheme.Length);
        var end = rest.IndexOf('/');
        return end < 0 ? "" : rest[..end].ToString();
    }
}
