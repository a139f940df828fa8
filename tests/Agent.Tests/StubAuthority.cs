using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Istio.V1.Auth;
using MeshProxy.ControlPlane.Discovery;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace MeshProxy.Agent.Tests;

/// <summary>istiod's certificate service: gRPC over TLS, one answer a request, failing when it is told to.</summary>
internal sealed class StubAuthority : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly X509Certificate2 _serverRoot = MakeRoot("server");

    private StubAuthority(TimeProvider time)
    {
        Time = time;
        Root = MakeRoot("first");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=istiod", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("istiod.istio-system.svc");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_serverRoot, _serverRoot.NotBefore, _serverRoot.NotAfter, [1]);
        using var keyed = issued.CopyWithPrivateKey(key);
        var server = X509CertificateLoader.LoadPkcs12(keyed.Export(X509ContentType.Pkcs12), null);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
            options.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                endpoint.UseHttps(server);
            }));
        _application = builder.Build();
        ((IApplicationBuilder)_application).Run(AnswerAsync);
    }

    /// <summary>The name `localhost` stands for istiod's service, as through a port forward.</summary>
    public string Address { get; private set; } = "";

    /// <summary>What clients have to trust to reach it.</summary>
    public string ServerRootPem => _serverRoot.ExportCertificatePem();

    public TimeProvider Time { get; }

    /// <summary>What certificates are issued under.</summary>
    public X509Certificate2 Root { get; private set; }

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What requests are answered with instead of a certificate; `Ok` for a certificate.</summary>
    public GrpcStatus Failure { get; set; } = GrpcStatus.Ok;

    /// <summary>Whether certificates are issued for a key nobody has.</summary>
    public bool MistakesKey { get; set; }

    public List<IssueRequest> Requests { get; } = [];

    public static async Task<StubAuthority> StartAsync(TimeProvider time)
    {
        var authority = new StubAuthority(time);
        await authority._application.StartAsync();
        var address = authority._application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        authority.Address = $"localhost:{new Uri(address).Port}";
        return authority;
    }

    /// <summary>Issues under another root from now on.</summary>
    public void ChangeRoot() => Root = MakeRoot("second");

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var call = new GrpcCall(context);
        await call.StartAsync(context.RequestAborted);
        var request = Message.Parse<IstioCertificateRequest>((await call.ReadAsync(context.RequestAborted))!);
        var csr = CertificateRequest.LoadSigningRequestPem(
            request.Csr, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        lock (Requests)
        {
            Requests.Add(new IssueRequest(
                context.Request.Path, context.Request.Headers.Authorization.ToString(), context.Request.Headers["clusterid"].ToString(),
                csr, request.ValidityDuration));
        }
        if (Failure == GrpcStatus.Ok)
            await call.WriteAsync(Issue(csr).Message, context.RequestAborted);
        call.Finish(Failure, Failure == GrpcStatus.Ok ? "" : "told to fail");
    }

    private IstioCertificateResponse Issue(CertificateRequest csr)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = MistakesKey ? new CertificateRequest(csr.SubjectName, other, HashAlgorithmName.SHA256) : csr;
        var now = Time.GetUtcNow();
        // Earlier, as istiod does it, for clocks that differ.
        var begin = now - TimeSpan.FromMinutes(2);
        using var issued = subject.Create(
            Root.SubjectName, X509SignatureGenerator.CreateForECDsa(Root.GetECDsaPrivateKey()!), begin, now + Lifetime,
            RandomNumberGenerator.GetBytes(8));
        var response = IstioCertificateResponse.New();
        response.CertChain.Add(issued.ExportCertificatePem());
        response.CertChain.Add(Root.ExportCertificatePem());
        return response;
    }

    private static X509Certificate2 MakeRoot(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=test, CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(3650));
    }

    /// <summary>One request for a certificate.</summary>
    internal sealed record IssueRequest(
        string Method, string Authorization, string Cluster, CertificateRequest Csr, long ValiditySeconds);
}
