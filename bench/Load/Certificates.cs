using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Bench.Load;

/// <summary>An authority and the certificates of both sides, ECDSA P-256, as PEM files; HAProxy wants key and chain in one file.</summary>
internal static class Certificates
{
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var now = DateTimeOffset.UtcNow;
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var authority = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(2));
        File.WriteAllText(Path.Combine(folder, "ca.pem"), authority.ExportCertificatePem());
        foreach (var name in (string[])["server", "client"]) Issue(folder, name, authority, now);
    }

    private static void Issue(string folder, string name, X509Certificate2 authority, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("bench.test");
        names.AddUri(new Uri($"spiffe://cluster.local/ns/default/sa/{name}"));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, now.AddMinutes(-30), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        var chain = certificate.ExportCertificatePem();
        var privateKey = key.ExportPkcs8PrivateKeyPem();
        File.WriteAllText(Path.Combine(folder, $"{name}.pem"), chain);
        File.WriteAllText(Path.Combine(folder, $"{name}.key"), privateKey);
        File.WriteAllText(Path.Combine(folder, $"{name}-both.pem"), $"{chain}\n{privateKey}\n");
    }
}
