using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>An authority of the test's own, and certificates it issued, as PEM texts.</summary>
public sealed class TestPki
{
    private readonly X509Certificate2 _authority;

    public TestPki(string name = "ca")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"O={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(10));
    }

    public string Authority => _authority.ExportCertificatePem();

    public (string Certificate, string Key) Issue(
        string subject, string[]? uris = null, string[]? dns = null, bool rsa = false, int days = 30, bool authority = false)
    {
        var from = DateTimeOffset.UtcNow.AddHours(-12);
        if (days < 0)
        {
            from = from.AddDays(days * 2);
        }
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA r
            ? new CertificateRequest(subject, r, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.DigitalSignature | (authority ? X509KeyUsageFlags.KeyCertSign : 0), true));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var uri in uris ?? [])
        {
            names.AddUri(new Uri(uri));
        }
        foreach (var name in dns ?? [])
        {
            names.AddDnsName(name);
        }
        if (uris is not null || dns is not null)
        {
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7f;
        using var issued = request.Create(_authority, from, from.AddDays(Math.Abs(days)), serial);
        return (issued.ExportCertificatePem(), PemEncoding.WriteString("PRIVATE KEY", key.ExportPkcs8PrivateKey()));
    }
}
