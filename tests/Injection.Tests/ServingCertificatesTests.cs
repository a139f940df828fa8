using System.Security.Cryptography.X509Certificates;
using MeshProxy.Injection.Webhook;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class ServingCertificatesTests
{
    private readonly ManualClock _clock = new();
    private readonly List<string> _published = [];

    [Fact]
    public async Task The_first_round_publishes_and_issues()
    {
        var certificates = Certificates(new MemoryAuthorityStore());
        await certificates.RenewAsync(default);
        Assert.True(IsTrusted(certificates.Current!, Assert.Single(_published)));
        Assert.True(certificates.Current!.MatchesHostname("injector.mesh.svc"));
    }

    [Fact]
    public async Task A_certificate_is_replaced_at_half_its_life()
    {
        var certificates = Certificates(new MemoryAuthorityStore());
        await certificates.RenewAsync(default);
        var first = certificates.Current;
        _clock.Now += TimeSpan.FromDays(3);
        await certificates.RenewAsync(default);
        Assert.Same(first, certificates.Current);
        _clock.Now += TimeSpan.FromDays(1);
        await certificates.RenewAsync(default);
        Assert.NotSame(first, certificates.Current);
        Assert.Single(_published);
    }

    [Fact]
    public async Task A_new_authority_is_trusted_before_it_issues_and_the_old_one_stays_trusted()
    {
        var certificates = Certificates(new MemoryAuthorityStore());
        await certificates.RenewAsync(default);
        _clock.Now += TimeSpan.FromDays(242);
        await certificates.RenewAsync(default);
        _clock.Now += TimeSpan.FromDays(3);
        await certificates.RenewAsync(default);
        Assert.Equal(2, _published.Count);
        Assert.True(IsTrusted(certificates.Current!, _published[0]));
        Assert.True(IsTrusted(certificates.Current!, _published[1]));
        await certificates.RenewAsync(default);
        Assert.False(IsTrusted(certificates.Current!, _published[0]));
        Assert.True(IsTrusted(certificates.Current!, _published[1]));
    }

    [Fact]
    public async Task What_could_not_be_published_is_not_used()
    {
        var fail = false;
        var certificates = new ServingCertificates(
            new MemoryAuthorityStore(), (_, _) => fail ? throw new IOException("down") : Task.CompletedTask, ["a"], _clock);
        await certificates.RenewAsync(default);
        var first = certificates.Current;
        fail = true;
        _clock.Now += TimeSpan.FromDays(245);
        await Assert.ThrowsAsync<IOException>(() => certificates.RenewAsync(default));
        Assert.Same(first, certificates.Current);
    }

    [Fact]
    public async Task Replicas_share_one_authority_in_a_secret()
    {
        await using var cluster = await FakeKubernetes.StartAsync();
        using var api = cluster.Api();
        var replicas = Enumerable.Range(0, 4)
            .Select(_ => Certificates(new SecretAuthorityStore(api, "mesh", "injector-authority"))).ToList();
        await Task.WhenAll(replicas.Select(replica => replica.RenewAsync(default)));
        Assert.Single(_published.Distinct());
        Assert.All(replicas, replica => Assert.True(IsTrusted(replica.Current!, _published[0])));
    }

    [Fact]
    public async Task A_broken_secret_is_replaced()
    {
        await using var cluster = await FakeKubernetes.StartAsync();
        cluster.Set("/api/v1/namespaces/mesh/secrets/injector-authority", "{metadata: {name: injector-authority}, data: {tls.crt: eA==}}");
        using var api = cluster.Api();
        var certificates = Certificates(new SecretAuthorityStore(api, "mesh", "injector-authority"));
        await certificates.RenewAsync(default);
        Assert.True(IsTrusted(certificates.Current!, _published[0]));
    }

    private ServingCertificates Certificates(IAuthorityStore store) => new(
        store,
        (bundle, _) =>
        {
            lock (_published)
                _published.Add(bundle);
            return Task.CompletedTask;
        },
        ["injector.mesh.svc"],
        _clock);

    private bool IsTrusted(X509Certificate2 certificate, string bundle)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = _clock.Now.UtcDateTime;
        foreach (var root in Authority.Certificates(bundle))
            chain.ChainPolicy.CustomTrustStore.Add(root);
        return chain.Build(certificate);
    }

    private sealed class ManualClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
