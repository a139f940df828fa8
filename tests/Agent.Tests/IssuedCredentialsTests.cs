using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Discovery;
using MeshProxy.Agent.Security;
using MeshProxy.Xds.Grpc;
using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>Certificates of istiod's authority: how they are asked for, renewed, and what failures do not take away.</summary>
public sealed class IssuedCredentialsTests : IAsyncLifetime
{
    private const string TokenFile = "var/run/secrets/tokens/istio-token";
    private const string RootFile = "var/run/secrets/istio/root-cert.pem";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly PodFolder _pod = new();
    private readonly ManualTime _time = new();
    private readonly Channel<WorkloadCredentials> _taken = Channel.CreateUnbounded<WorkloadCredentials>();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal)
    {
        ["TRUST_DOMAIN"] = "cluster.local",
        ["POD_NAMESPACE"] = "shop",
        ["SERVICE_ACCOUNT"] = "web",
        ["ISTIO_META_CLUSTER_ID"] = "Kubernetes",
        ["SECRET_GRACE_PERIOD_RATIO_JITTER"] = "0",
    };

    private StubAuthority _authority = null!;
    private IstiodConnection? _connection;
    private Task _running = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _authority = await StubAuthority.StartAsync(_time);
        _pod.Write(RootFile, _authority.ServerRootPem);
        _pod.Write(TokenFile, "first-token\n");
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _connection?.Dispose();
        await _authority.DisposeAsync();
        _pod.Dispose();
    }

    [Fact]
    public async Task A_certificate_is_asked_for_with_the_pods_token_and_identity()
    {
        Start();
        var taken = await TakeAsync();
        var asked = Assert.Single(_authority.Requests);
        Assert.Equal("/istio.v1.auth.IstioCertificateService/CreateCertificate", asked.Method);
        Assert.Equal("Bearer first-token", asked.Authorization);
        Assert.Equal("Kubernetes", asked.Cluster);
        Assert.Equal(24 * 3600, asked.ValiditySeconds);
        Assert.Equal(2048, asked.Csr.PublicKey.GetRSAPublicKey()!.KeySize);
        using var certificate = X509Certificate2.CreateFromPem(taken.ChainPem, taken.KeyPem);
        Assert.Contains("spiffe://cluster.local/ns/shop/sa/web", Names(certificate), StringComparison.Ordinal);
        Assert.Equal(_authority.Root.ExportCertificatePem(), taken.RootPem.Trim());
    }

    [Theory]
    [InlineData("", 256)]
    [InlineData("P384", 384)]
    public async Task An_elliptic_key_is_used_when_told(string curve, int bits)
    {
        _environment["ECC_SIGNATURE_ALGORITHM"] = "ECDSA";
        _environment["ECC_CURVE"] = curve;
        Start();
        await TakeAsync();
        Assert.Equal(bits, Assert.Single(_authority.Requests).Csr.PublicKey.GetECDsaPublicKey()!.KeySize);
    }

    [Fact]
    public async Task It_is_renewed_at_half_of_its_life_with_the_token_of_then()
    {
        Start();
        var first = await TakeAsync();
        _pod.Write(TokenFile, "second-token\n");
        // What is left of the hour is counted from when it came, in whole seconds of a certificate's end.
        Assert.Equal(30, (await _time.PassNextAsync()).TotalMinutes, 1);
        var second = await TakeAsync();
        Assert.NotEqual(first.ChainPem, second.ChainPem);
        Assert.NotEqual(first.KeyPem, second.KeyPem);
        Assert.Equal("Bearer second-token", _authority.Requests[1].Authorization);
    }

    [Fact]
    public async Task Another_root_of_the_authority_is_taken_over()
    {
        Start();
        var first = await TakeAsync();
        _authority.ChangeRoot();
        await _time.PassNextAsync();
        var second = await TakeAsync();
        Assert.NotEqual(first.RootPem, second.RootPem);
        Assert.Equal(_authority.Root.ExportCertificatePem(), second.RootPem.Trim());
    }

    [Fact]
    public async Task An_authority_that_fails_in_between_takes_nothing_away()
    {
        Start();
        await TakeAsync();
        _authority.Failure = GrpcStatus.Unavailable;
        await _time.PassNextAsync();
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 4; i++)
            waits.Add(await _time.PassNextAsync());
        Assert.False(_taken.Reader.TryRead(out _));
        Assert.InRange(waits[0].TotalSeconds, 0.25, 0.5);
        Assert.InRange(waits[3].TotalSeconds, 2, 4);
        Assert.Contains(_log, line => line.Contains("told to fail", StringComparison.Ordinal));
        _authority.Failure = GrpcStatus.Ok;
        // The question that was under way when it still failed may be answered with the failure.
        while (!_taken.Reader.TryPeek(out _) && _authority.Requests.Count < 10)
            await _time.PassNextAsync();
        await TakeAsync();
    }

    [Fact]
    public async Task A_certificate_of_another_key_does_not_replace_the_one_that_works()
    {
        Start();
        await TakeAsync();
        _authority.MistakesKey = true;
        await _time.PassNextAsync();
        Assert.InRange((await _time.PassNextAsync()).TotalSeconds, 0.25, 0.5);
        Assert.False(_taken.Reader.TryRead(out _));
    }

    [Fact]
    public async Task An_authority_that_is_not_trusted_gets_no_token()
    {
        _pod.Write(RootFile, _authority.Root.ExportCertificatePem());
        Start();
        await _time.PassNextAsync();
        Assert.Empty(_authority.Requests);
        Assert.False(_taken.Reader.TryRead(out _));
        // The root is read anew for each connection.
        _pod.Write(RootFile, _authority.ServerRootPem);
        while (_authority.Requests.Count == 0)
            await _time.PassNextAsync();
        await TakeAsync();
    }

    private static string Names(X509Certificate2 certificate) =>
        certificate.Extensions.Single(e => e.Oid?.Value == "2.5.29.17").Format(multiLine: false);

    private void Start()
    {
        var environment = new AgentEnvironment(_environment);
        _connection = new IstiodConnection("CA", _authority.Address, isPlain: false, environment);
        _running = new IssuedCredentials(_connection, environment, _time, _log.Enqueue)
            .RunAsync(credentials => _taken.Writer.TryWrite(credentials), _stop.Token);
    }

    private async Task<WorkloadCredentials> TakeAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await _taken.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException("no certificate came: " + string.Join(' ', _log));
        }
    }
}
