using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Security.Jwt;
using Config = Envoy.Extensions.Filters.Http.JwtAuthn.V3.JwtProvider;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>One issuer: where its tokens are, what they must say, which keys sign them, what is passed on.</summary>
internal sealed class JwtProvider
{
    /// <summary>Envoy's default of clock_skew_seconds.</summary>
    private const uint DefaultClockSkew = 60;

    private readonly Config _config;
    private readonly StringMatcher? _subjects;
    private readonly JwtAudiences _audiences;
    private readonly uint _clockSkew;

    public JwtProvider(string name, Config config, FactoryContext context, JwtStats stats)
    {
        _config = config;
        Name = name;
        Locations = new JwtLocations(config);
        Output = new JwtOutput(config);
        Keys = JwtKeySource.Compile(name, config, context, stats);
        Cache = config.JwtCacheConfig is { } cache ? new JwtCache(cache.JwtCacheSize, cache.JwtMaxTokenSize) : null;
        _audiences = new JwtAudiences(config.Audiences);
        _clockSkew = config.ClockSkewSeconds == 0 ? DefaultClockSkew : config.ClockSkewSeconds;
        _subjects = config.Subjects is { } subjects ? StringMatcher.Compile(subjects, $"providers[{name}].subjects") : null;
    }

    public string Name { get; }

    public string Issuer => _config.Issuer;

    public JwtLocations Locations { get; }

    public JwtOutput Output { get; }

    public JwtKeySource Keys { get; }

    /// <summary>Null when tokens are verified anew each time.</summary>
    public JwtCache? Cache { get; }

    /// <summary>All checks but the signature, in Envoy's order.</summary>
    /// <param name="audiences">Instead of the provider's own; null takes those.</param>
    /// <param name="now">Seconds of the epoch.</param>
    public JwtStatus CheckClaims(JsonWebToken token, JwtAudiences? audiences, ulong now)
    {
        if (Issuer.Length > 0 && token.Issuer != Issuer)
        {
            return JwtStatus.UnknownIssuer;
        }
        if (_subjects is not null && !_subjects.Match(token.Subject))
        {
            return JwtStatus.VerificationFailed;
        }
        if (!LifetimeFits(token.Expiration, now))
        {
            return JwtStatus.VerificationFailed;
        }
        if (token.NotBefore is { } notBefore && now + _clockSkew < notBefore)
        {
            return JwtStatus.NotYetValid;
        }
        if (token.Expiration is { } expiration && now > expiration + _clockSkew)
        {
            return JwtStatus.Expired;
        }
        return (audiences ?? _audiences).Allow(token.Audiences) ? JwtStatus.Ok : JwtStatus.AudienceNotAllowed;
    }

    private bool LifetimeFits(ulong? expiration, ulong now)
    {
        if (expiration is not { } end)
        {
            return !_config.RequireExpiration && _config.MaxLifetime is null;
        }
        return _config.MaxLifetime is not { } longest || end <= now + (ulong)longest.TotalSeconds;
    }
}
