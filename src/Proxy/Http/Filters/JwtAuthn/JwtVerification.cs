using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Jwt;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>The verification of one request's tokens; waits only where keys must be fetched.</summary>
internal sealed class JwtVerification(HeaderMap headers, StreamInfo info, JwtStats stats)
{
    private IDisposable? _fetch;
    private bool _cancelled;

    /// <summary>The request was changed in a way that asks for another route.</summary>
    public bool RouteChanged { get; private set; }

    public HeaderMap Headers { get; } = headers;

    public StreamInfo Info { get; } = info;

    /// <summary>Verifies all tokens where the provider's are; the first bad one ends it.</summary>
    public void Verify(JwtProvider provider, JwtAudiences? audiences, Action<JwtStatus> done)
    {
        var tokens = new List<FoundToken>();
        provider.Locations.Extract(Headers, tokens);
        if (tokens.Count == 0)
        {
            provider.Output.NoteFailure(JwtStatus.Missing, Info.DynamicMetadata);
            done(JwtStatus.Missing);
            return;
        }
        VerifyFrom(tokens, 0, _ => provider, audiences, JwtStatus.Ok, stopAtFailure: true, done);
    }

    /// <summary>Verifies the tokens of all providers, each by its issuer's.</summary>
    /// <param name="stopAtFailure">False: bad tokens are passed over and the last failure is reported.</param>
    public void VerifyAll(IReadOnlyList<JwtProvider> providers, bool stopAtFailure, Action<JwtStatus> done)
    {
        var tokens = new List<FoundToken>();
        foreach (var provider in providers)
        {
            provider.Locations.Extract(Headers, tokens);
        }
        var distinct = tokens.DistinctBy(static t => t.Text).ToList();
        if (distinct.Count == 0)
        {
            done(JwtStatus.Missing);
            return;
        }
        JwtProvider? ByIssuer(JsonWebToken token) =>
            providers.FirstOrDefault(p => p.Issuer == token.Issuer) ?? providers.FirstOrDefault(static p => p.Issuer.Length == 0);
        VerifyFrom(distinct, 0, ByIssuer, null, JwtStatus.Ok, stopAtFailure, done);
    }

    public void Cancel()
    {
        _cancelled = true;
        _fetch?.Dispose();
    }

    private void VerifyFrom(List<FoundToken> tokens, int index, Func<JsonWebToken, JwtProvider?> providerOf,
        JwtAudiences? audiences, JwtStatus soFar, bool stopAtFailure, Action<JwtStatus> done)
    {
        if (index == tokens.Count)
        {
            done(soFar);
            return;
        }
        VerifyOne(tokens[index], providerOf, audiences, status =>
        {
            if (status != JwtStatus.Ok && stopAtFailure)
            {
                done(status);
                return;
            }
            VerifyFrom(tokens, index + 1, providerOf, audiences, status == JwtStatus.Ok ? soFar : status, stopAtFailure, done);
        });
    }

    private void VerifyOne(FoundToken found, Func<JsonWebToken, JwtProvider?> providerOf, JwtAudiences? audiences, Action<JwtStatus> done)
    {
        var status = JsonWebToken.Parse(found.Text, out var token);
        var provider = token is null ? null : providerOf(token);
        if (status != JwtStatus.Ok || provider is null)
        {
            Refuse(provider, status == JwtStatus.Ok ? JwtStatus.UnknownIssuer : status, done);
            return;
        }
        var cached = provider.Cache?.Find(found.Text) is not null;
        if (provider.Cache is not null)
        {
            (cached ? stats.CacheHit : stats.CacheMiss).Inc();
        }
        status = provider.CheckClaims(token!, audiences, (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        if (status != JwtStatus.Ok)
        {
            Refuse(provider, status, done);
            return;
        }
        if (cached)
        {
            Accept(provider, token!, found, done);
            return;
        }
        if (provider.Keys.Current is { } keys)
        {
            VerifySignature(provider, token!, found, keys, done);
            return;
        }
        _fetch = provider.Keys.Fetch(fetched =>
        {
            _fetch = null;
            if (_cancelled)
            {
                return;
            }
            if (fetched is null)
            {
                Refuse(provider, JwtStatus.KeysFetchFailed, done);
                return;
            }
            VerifySignature(provider, token!, found, fetched, done);
        });
    }

    private void VerifySignature(JwtProvider provider, JsonWebToken token, FoundToken found, JsonWebKeySet keys, Action<JwtStatus> done)
    {
        var status = keys.Verify(token);
        if (status != JwtStatus.Ok)
        {
            Refuse(provider, status, done);
            return;
        }
        provider.Cache?.Add(found.Text, token);
        Accept(provider, token, found, done);
    }

    private void Accept(JwtProvider provider, JsonWebToken token, FoundToken found, Action<JwtStatus> done)
    {
        RouteChanged |= provider.Output.Apply(token, found, Headers, Info.DynamicMetadata);
        done(JwtStatus.Ok);
    }

    private void Refuse(JwtProvider? provider, JwtStatus status, Action<JwtStatus> done)
    {
        provider?.Output.NoteFailure(status, Info.DynamicMetadata);
        done(status);
    }
}
