using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>`http.PREFIX.jwt_authn.` counters.</summary>
internal sealed class JwtStats
{
    public JwtStats(IStatsScope scope)
    {
        Allowed = scope.Counter("allowed");
        Denied = scope.Counter("denied");
        PreflightBypassed = scope.Counter("cors_preflight_bypassed");
        FetchSuccess = scope.Counter("jwks_fetch_success");
        FetchFailed = scope.Counter("jwks_fetch_failed");
        CacheHit = scope.Counter("jwt_cache_hit");
        CacheMiss = scope.Counter("jwt_cache_miss");
    }

    public Counter Allowed { get; }

    public Counter Denied { get; }

    public Counter PreflightBypassed { get; }

    public Counter FetchSuccess { get; }

    public Counter FetchFailed { get; }

    public Counter CacheHit { get; }

    public Counter CacheMiss { get; }
}
