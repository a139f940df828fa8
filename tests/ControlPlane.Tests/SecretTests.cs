using Xunit;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.ControlPlane.Security;
using static MeshProxy.ControlPlane.Tests.Requests;

namespace MeshProxy.ControlPlane.Tests;

public class SecretTests
{
    [Theory]
    [InlineData(Secrets)]
    [InlineData(Aggregated)]
    public async Task A_workload_gets_a_certificate_that_its_root_vouches_for(string method)
    {
        await using var plane = new RunningControlPlane();
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, method);
        stream.Send(World(Requests.Secret, ["default", "ROOTCA"], node: Node()));
        var secrets = (await stream.ReceiveAsync<DiscoveryResponse>())!.Value.Resources;
        var certificate = secrets[0].Unpack<Secret>();
        var root = secrets[1].Unpack<Secret>();
        Assert.Equal(["default", "ROOTCA"], [certificate.Name, root.Name]);

        using var leaf = X509Certificate2.CreateFromPem(
            Text(certificate.TlsCertificate!.Value.CertificateChain), Text(certificate.TlsCertificate!.Value.PrivateKey));
        Assert.Equal("spiffe://cluster.local/ns/shop/sa/web", ServerTls.IdentityOf(leaf));
        using var authority = X509Certificate2.CreateFromPem(Text(root.ValidationContext!.Value.TrustedCa));
        Assert.True(IsVouchedFor(leaf, authority));
    }

    [Fact]
    public async Task Certificates_are_replaced_before_they_end()
    {
        await using var plane = new RunningControlPlane();
        await plane.StartAsync(options => options with { CertificateLifetime = TimeSpan.FromSeconds(2) });
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Secrets);
        stream.Send(World(Requests.Secret, ["default"], node: Node()));
        var first = (await stream.ReceiveAsync<DiscoveryResponse>())!.Value;
        var second = (await stream.ReceiveAsync<DiscoveryResponse>())!.Value;
        Assert.NotEqual(first.VersionInfo, second.VersionInfo);
    }

    [Fact]
    public async Task A_node_without_a_proper_identity_gets_no_certificate()
    {
        await using var plane = new RunningControlPlane();
        await plane.StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Secrets);
        stream.Send(World(Requests.Secret, ["default"], node: Node(account: "web/ns/other")));
        await plane.LoggedAsync("gets no certificate");
    }

    [Fact]
    public void The_authority_of_a_folder_stays()
    {
        var folder = Directory.CreateTempSubdirectory("authority");
        try
        {
            var place = Path.Combine(folder.FullName, ".ca");
            using var first = CertificateAuthority.LoadOrCreate(place, DateTimeOffset.UtcNow);
            using var second = CertificateAuthority.LoadOrCreate(place, DateTimeOffset.UtcNow);
            Assert.Equal(first.RootPem, second.RootPem);
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(place, "ca-key.pem")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static bool IsVouchedFor(X509Certificate2 leaf, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(leaf);
    }

    private static string Text(Envoy.Config.Core.V3.DataSource? source) =>
        Encoding.UTF8.GetString(source!.Value.InlineBytes.Span);
}
