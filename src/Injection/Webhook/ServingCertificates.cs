using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// Issues the webhook's certificate and replaces it and its authority in time. An authority issues only after the API
/// server has been told to trust it.
/// </summary>
internal sealed class ServingCertificates
{
    // A year and a week: long enough to outlive any outage of the API server, short enough that renewal is exercised.
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan CertificateLifetime = TimeSpan.FromDays(7);

    private readonly IAuthorityStore _store;
    private readonly Func<string, CancellationToken, Task> _publish;
    private readonly ImmutableArray<string> _names;
    private readonly TimeProvider _clock;
    private X509Certificate2? _current;
    private string _issuer = "";
    private string _published = "";

    /// <param name="store">Where the authority is kept.</param>
    /// <param name="publish">Tells the API server which authorities to trust; throws if it could not.</param>
    /// <param name="names">DNS names of the webhook.</param>
    /// <param name="clock">The time.</param>
    public ServingCertificates(
        IAuthorityStore store, Func<string, CancellationToken, Task> publish, ImmutableArray<string> names, TimeProvider clock) =>
        (_store, _publish, _names, _clock) = (store, publish, names, clock);

    /// <summary>The certificate for the next connection, or null before the first round has succeeded.</summary>
    public X509Certificate2? Current => Volatile.Read(ref _current);

    /// <summary>One round: makes or renews whatever is due. Call it regularly; a failed round changes nothing.</summary>
    public async Task RenewAsync(CancellationToken stop)
    {
        var now = _clock.GetUtcNow();
        var authority = await AuthorityAsync(now, stop).ConfigureAwait(false);
        var trusted = _published.Contains(authority.CertificatePem, StringComparison.Ordinal);
        if (authority.BundlePem != _published)
        {
            await _publish(authority.BundlePem, stop).ConfigureAwait(false);
            _published = authority.BundlePem;
        }
        var serves = _current is not null && _current.NotAfter.ToUniversalTime() > now.UtcDateTime;
        // What was published in this round may take a moment to reach every API server: the old certificate, whose
        // authority they trust already, serves until the next round.
        if (serves && (!trusted || (!IsDue(_current!, now) && _issuer == authority.CertificatePem)))
            return;
        Volatile.Write(ref _current, authority.Issue(_names, now, CertificateLifetime));
        _issuer = authority.CertificatePem;
    }

    private async Task<Authority> AuthorityAsync(DateTimeOffset now, CancellationToken stop)
    {
        while (true)
        {
            var stored = await _store.ReadAsync(stop).ConfigureAwait(false);
            if (stored is { } present && !IsUnusable(present.Authority, now) && !present.Authority.IsDue(now))
                return present.Authority;
            var next = stored is { } old && !IsUnusable(old.Authority, now)
                ? old.Authority.Succeed(now, AuthorityLifetime)
                : Authority.Create(now, AuthorityLifetime);
            if (await _store.WriteAsync(next, stored?.Version, stop).ConfigureAwait(false))
                return next;
        }
    }

    // A Secret that somebody emptied or broke, or an authority that is over, is replaced.
    private static bool IsUnusable(Authority authority, DateTimeOffset now)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(authority.CertificatePem, authority.KeyPem);
            return certificate.NotAfter.ToUniversalTime() <= now.UtcDateTime || authority.BundlePem.Length == 0;
        }
        catch (CryptographicException)
        {
            return true;
        }
    }

    private static bool IsDue(X509Certificate2 certificate, DateTimeOffset now)
    {
        var (begin, end) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime >= begin + ((end - begin) / 2);
    }
}
