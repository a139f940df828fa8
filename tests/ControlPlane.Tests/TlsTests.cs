using System.Net;
using System.Security.Cryptography.X509Certificates;
using Envoy.Service.Discovery.V3;
using MeshProxy.ControlPlane.Security;
using Xunit;
using static MeshProxy.ControlPlane.Tests.Requests;

namespace MeshProxy.ControlPlane.Tests;

public sealed class TlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tls");
    private readonly CertificateAuthority _authority;

    public TlsTests() => _authority = CertificateAuthority.LoadOrCreate(In("ca"), DateTimeOffset.UtcNow);

    [Theory]
    [InlineData("web", true)]
    [InlineData("other", false)]
    public async Task A_client_gets_certificates_of_the_identity_it_proved(string claimed, bool isGiven)
    {
        await using var plane = await StartAsync();
        await using var stream = await DiscoveryStream.OpenAsync(plane.Address, Secrets, Certificate("web"));
        stream.Send(World(Requests.Secret, ["default"], node: Node(account: claimed)));
        if (isGiven)
            Assert.Single((await stream.ReceiveAsync<DiscoveryResponse>())!.Value.Resources);
        else
            await plane.LoggedAsync("its connection is spiffe://cluster.local/ns/shop/sa/web's");
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_refused()
    {
        await using var plane = await StartAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => DiscoveryStream.OpenAsync(plane.Address, Secrets));
    }

    [Fact]
    public async Task A_client_of_another_authority_is_refused()
    {
        await using var plane = await StartAsync();
        using var other = CertificateAuthority.Create(DateTimeOffset.UtcNow);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => DiscoveryStream.OpenAsync(plane.Address, Secrets, Certificate("web", other)));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task<RunningControlPlane> StartAsync()
    {
        var issued = _authority.Issue("spiffe://cluster.local/ns/mesh/sa/control-plane", DateTimeOffset.UtcNow, TimeSpan.FromHours(1));
        File.WriteAllText(In("server.pem"), issued.ChainPem + issued.KeyPem);
        var plane = new RunningControlPlane();
        await plane.StartAsync(change: options => options with
        {
            CertificateFile = In("server.pem"),
            ClientAuthorityFile = Path.Combine(In("ca"), "root-cert.pem"),
        });
        return plane;
    }

    private X509Certificate2 Certificate(string account, CertificateAuthority? authority = null)
    {
        var issued = (authority ?? _authority).Issue(
            $"spiffe://cluster.local/ns/shop/sa/{account}", DateTimeOffset.UtcNow, TimeSpan.FromHours(1));
        return X509Certificate2.CreateFromPem(issued.ChainPem, issued.KeyPem);
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);
}
