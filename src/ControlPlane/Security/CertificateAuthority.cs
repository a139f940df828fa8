using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.ControlPlane.Security;

/// <summary>
/// An authority that issues SPIFFE certificates. Its files have the names of Istio's plugged-in authorities (ca-cert.pem,
/// ca-key.pem, root-cert.pem), so one of those can be put in place.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    // As long as istiod's self-signed authority (CITADEL_SELF_SIGNED_CA_CERT_TTL).
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    // Clocks of machines differ; istiod begins certificates this much earlier too.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private const int SerialBytes = 16;

    private readonly X509Certificate2 _issuer;
    private readonly string _chainPem;

    private CertificateAuthority(string certificatePem, string keyPem, string rootPem)
    {
        _issuer = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        RootPem = rootPem;
        _chainPem = certificatePem.Trim() == rootPem.Trim() ? "" : certificatePem;
    }

    /// <summary>What peers of the certificates have to trust.</summary>
    public string RootPem { get; }

    /// <summary>When nobody trusts its certificates any longer.</summary>
    public DateTimeOffset RootEnd
    {
        get
        {
            using var root = X509Certificate2.CreateFromPem(RootPem);
            return new DateTimeOffset(root.NotAfter);
        }
    }

    /// <summary>An authority that lives as long as the process.</summary>
    public static CertificateAuthority Create(DateTimeOffset now)
    {
        var (certificate, key) = MakeRoot(now);
        return new CertificateAuthority(certificate, key, certificate);
    }

    /// <summary>The authority of a folder; a new one is put there when there is none.</summary>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be read or written.</exception>
    /// <exception cref="CryptographicException">The files are no certificate and key that belong together.</exception>
    public static CertificateAuthority LoadOrCreate(string folder, DateTimeOffset now)
    {
        var (certificatePath, keyPath, rootPath) =
            (Path.Combine(folder, "ca-cert.pem"), Path.Combine(folder, "ca-key.pem"), Path.Combine(folder, "root-cert.pem"));
        if (!File.Exists(certificatePath) || !File.Exists(keyPath))
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var (certificate, key) = MakeRoot(now);
            WritePrivate(keyPath, key);
            File.WriteAllText(rootPath, certificate);
            File.WriteAllText(certificatePath, certificate);
        }
        var issuer = File.ReadAllText(certificatePath);
        var root = File.Exists(rootPath) ? File.ReadAllText(rootPath) : issuer;
        return new CertificateAuthority(issuer, File.ReadAllText(keyPath), root);
    }

    /// <summary>A certificate for a workload, for a client and for a server, with a new key.</summary>
    /// <param name="uri">Its SPIFFE identity.</param>
    /// <param name="now">When it begins to be used.</param>
    /// <param name="lifetime">How long it is valid, at most as long as the authority.</param>
    public WorkloadCertificate Issue(string uri, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // No subject: the identity is in the alternative name, which is critical then (RFC 5280 section 4.2.1.6).
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        alternative.AddUri(new Uri(uri));
        request.CertificateExtensions.Add(alternative.Build(critical: true));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var end = now + lifetime < Utc(_issuer.NotAfter) ? now + lifetime : Utc(_issuer.NotAfter);
        using var certificate = request.Create(_issuer, now - ClockSkew, end, RandomNumberGenerator.GetBytes(SerialBytes));
        return new WorkloadCertificate(
            certificate.ExportCertificatePem() + "\n" + _chainPem, key.ExportPkcs8PrivateKeyPem() + "\n", now + ((end - now) / 2));
    }

    public void Dispose() => _issuer.Dispose();

    private static DateTimeOffset Utc(DateTime time) => new(time.ToUniversalTime());

    private static (string Certificate, string Key) MakeRoot(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=MeshProxy, CN=MeshProxy Root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + Lifetime);
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static void WritePrivate(string path, string text)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using var writer = new StreamWriter(file);
        writer.Write(text);
    }
}
