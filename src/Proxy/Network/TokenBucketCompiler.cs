using MeshProxy.Proxy.Configuration;
using Config = Envoy.Type.V3.TokenBucket;

namespace MeshProxy.Proxy.Network;

/// <summary>Compiles type.v3.TokenBucket.</summary>
internal static class TokenBucketCompiler
{
    /// <summary>Envoy's LocalRateLimiterImpl refuses shorter ones.</summary>
    private static readonly TimeSpan ShortestFill = TimeSpan.FromMilliseconds(50);

    public static TokenBucket Compile(Config? bucket, string field)
    {
        var config = bucket ?? throw new ConfigurationException($"{field}: token_bucket is missing; set it.");
        var interval = config.FillInterval ?? TimeSpan.Zero;
        if (interval < ShortestFill)
        {
            throw new ConfigurationException("local rate limit token bucket fill timer must be >= 50ms");
        }
        return new TokenBucket(config.MaxTokens, config.TokensPerFill ?? 1, interval);
    }
}
