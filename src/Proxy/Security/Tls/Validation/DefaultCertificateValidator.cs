using System.Security.Cryptography;
using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Native;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>
/// Envoy's default validator: the chain against the trusted authorities, then names asked for by the connection, then
/// configured names, then certificate or key digests. The first failure decides.
/// </summary>
internal sealed class DefaultCertificateValidator : ICertificateValidator
{
    private readonly ValidationSettings _settings;

    public DefaultCertificateValidator(ValidationSettings settings)
    {
        _settings = settings;
        AuthorityNames = settings.Trust is { } trust && !settings.SuppressAuthorityNames
            ? [.. trust.Anchors.Select(static a => a.SubjectName)] : [];
    }

    public IReadOnlyList<byte[]> AuthorityNames { get; }

    public IReadOnlyList<LoadedCertificate> Authorities => _settings.Trust?.Anchors ?? [];

    public bool ProvesIdentity => !_settings.AcceptUntrusted && (_settings.Trust is not null || HasPins);

    private bool HasPins => _settings.CertificateHashes.Count > 0 || _settings.PublicKeyHashes.Count > 0;

    public int VerifyMode(bool requireClientCertificate)
    {
        const int Required = OpenSslConstants.VerifyPeer | OpenSslConstants.VerifyFailIfNoPeerCertificate;
        if (requireClientCertificate && _settings.Trust is not null)
        {
            return Required;
        }
        if (_settings.Names.Count > 0 || HasPins)
        {
            return requireClientCertificate || !_settings.AcceptUntrusted ? Required : OpenSslConstants.VerifyPeer;
        }
        return _settings.Trust is not null || _settings.AcceptUntrusted ? OpenSslConstants.VerifyPeer : OpenSslConstants.VerifyNone;
    }

    public CertificateVerdict Verify(in PeerCertificates peer, TlsStats stats)
    {
        var verdict = Judge(peer, stats);
        return !verdict.Accepted && _settings.AcceptUntrusted ? CertificateVerdict.Unverified : verdict;
    }

    private CertificateVerdict Judge(in PeerCertificates peer, TlsStats stats)
    {
        var proven = false;
        if (_settings.Trust is { } trust)
        {
            var error = trust.Verify(peer.Leaf, peer.Sent, peer.PeerIsClient, out var detail);
            if (error != 0)
            {
                stats.Inc(TlsStat.FailVerifyError);
                return CertificateVerdict.Refuse(TlsAlerts.ForVerifyError(error), detail);
            }
            proven = true;
        }
        if (peer.RequiredNames.Count > 0)
        {
            if (!RequiredNames.Match(peer.RequiredNames, peer.Facts.Names))
            {
                stats.Inc(TlsStat.FailVerifySan);
                return CertificateVerdict.Refuse(TlsAlerts.CertificateUnknown, "verify cert failed: verify SAN list");
            }
        }
        if (_settings.Names.Count > 0 && !MatchNames(peer.Facts.Names))
        {
            stats.Inc(TlsStat.FailVerifySan);
            return CertificateVerdict.Refuse(TlsAlerts.CertificateUnknown, "verify cert failed: SAN matcher");
        }
        if (HasPins)
        {
            if (!MatchPins(peer.Facts))
            {
                stats.Inc(TlsStat.FailVerifyCertHash);
                return CertificateVerdict.Refuse(TlsAlerts.BadCertificateHashValue, "verify cert failed: cert hash and spki");
            }
            proven = true;
        }
        return proven ? CertificateVerdict.Verified : CertificateVerdict.Unverified;
    }

    private bool MatchNames(SubjectAltNames names)
    {
        foreach (var matcher in _settings.Names)
        {
            if (matcher.Match(names))
            {
                return true;
            }
        }
        return false;
    }

    private bool MatchPins(CertificateFacts facts) =>
        Contains(_settings.CertificateHashes, facts.Sha256Bytes) || Contains(_settings.PublicKeyHashes, facts.PublicKeyDigest);

    private static bool Contains(IReadOnlyList<byte[]> digests, byte[] digest)
    {
        foreach (var known in digests)
        {
            if (CryptographicOperations.FixedTimeEquals(known, digest))
            {
                return true;
            }
        }
        return false;
    }
}
