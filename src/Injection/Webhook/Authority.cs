using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// A certificate authority of the webhook alone: the one that issues now, and earlier ones that are trusted until they end,
/// so that a change of authority breaks no connection.
/// </summary>
internal sealed record Authority
{
    // Clocks of nodes differ; a certificate that begins this much earlier is valid on all of them (Istio allows the same).
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    public required string CertificatePem { get; init; }
    public required string KeyPem { get; init; }

    /// <summary>All trusted certificates, the issuing one first.</summary>
    public required string BundlePem { get; init; }

    public static Authority Create(DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // A name of its own: verifiers look for an issuer by name, and two authorities are trusted during a change.
        var name = $"CN=meshproxy-injector-{RandomNumberGenerator.GetHexString(8, lowercase: true)}, O=MeshProxy";
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + lifetime);
        var pem = certificate.ExportCertificatePem() + "\n";
        return new Authority { CertificatePem = pem, KeyPem = key.ExportPkcs8PrivateKeyPem(), BundlePem = pem };
    }

    /// <summary>A new authority that trusts what this one trusts and is not over.</summary>
    public Authority Succeed(DateTimeOffset now, TimeSpan lifetime)
    {
        var next = Create(now, lifetime);
        var trusted = Certificates(BundlePem).Where(certificate => certificate.NotAfter.ToUniversalTime() > now.UtcDateTime);
        return next with { BundlePem = next.CertificatePem + string.Concat(trusted.Select(c => c.ExportCertificatePem() + "\n")) };
    }

    public bool IsDue(DateTimeOffset now)
    {
        using var certificate = X509Certificate2.CreateFromPem(CertificatePem);
        var (begin, end) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        // Two thirds of its life leave time to notice that the next one cannot be stored.
        return now.UtcDateTime >= begin + ((end - begin) * 2 / 3);
    }

    public X509Certificate2 Issue(ImmutableArray<string> names, DateTimeOffset now, TimeSpan lifetime)
    {
        using var issuer = X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(
            new X500DistinguishedName("O=MeshProxy"), key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build(critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        var end = now + lifetime;
        if (end.UtcDateTime > issuer.NotAfter.ToUniversalTime())
            end = new DateTimeOffset(issuer.NotAfter.ToUniversalTime());
        using var certificate = request.Create(issuer, now - ClockSkew, end, RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    public static IReadOnlyList<X509Certificate2> Certificates(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        return [.. all];
    }
}
