using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Xunit;

namespace MeshProxy.Cli.Tests;

public sealed class CertificateTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("meshproxy-certs-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Shows_how_long_certificates_are_good_and_which_are_not()
    {
        var now = DateTimeOffset.UtcNow;
        File.WriteAllText(Path.Combine(_directory, "dump.json"), $$"""
            {"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump", "dynamic_active_secrets": [
              {{Secret("default", now.AddDays(-1), now.AddDays(30.5))}},
              {{Secret("old", now.AddDays(-9), now.AddDays(-8))}}],
              "dynamic_warming_secrets": [{"name": "missing", "version_info": "uninitialized"}]}]}
            """);
        var result = Meshproxy.Run(["certs", "--file", "dump.json"], _directory);
        var rows = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static row => row.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        Assert.Equal(0, result.Exit);
        Assert.Equal(["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE", "EXPIRES IN"], rows[0]);
        Assert.Equal(["default", "Cert Chain", "ACTIVE", "true"], rows[1][..4]);
        Assert.Equal("30d", rows[1][^1]);
        Assert.Equal(["old", "Cert Chain", "ACTIVE", "false"], rows[2][..4]);
        Assert.Equal("EXPIRED", rows[2][^1]);
        Assert.Equal(["missing", "WARMING", "false"], rows[3]);
    }

    private static string Secret(string name, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(from, until);
        var bytes = Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        return $$$"""
            {"name": "{{{name}}}", "secret": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
             "name": "{{{name}}}", "tls_certificate": {"certificate_chain": {"inline_bytes": "{{{bytes}}}"} } } }
            """;
    }
}
