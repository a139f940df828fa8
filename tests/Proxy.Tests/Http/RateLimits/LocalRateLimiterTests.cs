using Envoy.Extensions.Common.Ratelimit.V3;
using MeshProxy.Proxy.Http.Filters.LocalRateLimit;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Network;
using MeshProxy.Xds.Mapping;
using Xunit;
using RateLimitDescriptor = MeshProxy.Proxy.Http.RateLimits.RateLimitDescriptor;

namespace MeshProxy.Proxy.Tests.Http.RateLimits;

public sealed class LocalRateLimiterTests
{
    [Fact]
    public void The_tightest_bucket_that_matches_decides_and_is_shown()
    {
        var limiter = Limiter(null, Rule("{key: a, value: x}", 5, "60s"), Rule("{key: b, value: x}", 1, "3600s"));
        RateLimitDescriptor[] asked = [Asked("a", "x"), Asked("b", "x", shows: true)];
        var first = limiter.Decide(asked);
        Assert.True(first.Allowed);
        Assert.Equal(1u, first.Bucket!.Maximum);
        Assert.True(first.ShowsLimits);
        Assert.False(limiter.Decide(asked).Allowed);
    }

    [Fact]
    public void Without_a_match_the_default_bucket_decides()
    {
        var limiter = Limiter(new TokenBucket(1, 1, TimeSpan.FromHours(1)), Rule("{key: a, value: x}", 5, "60s"));
        Assert.True(limiter.Decide([Asked("a", "other")]).Allowed);
        Assert.False(limiter.Decide([]).Allowed);
    }

    [Fact]
    public void An_entry_without_value_has_a_bucket_for_each_value()
    {
        var limiter = Limiter(null, Rule("{key: user}", 1, "3600s"));
        Assert.True(limiter.Decide([Asked("user", "ann")]).Allowed);
        Assert.True(limiter.Decide([Asked("user", "bob")]).Allowed);
        Assert.False(limiter.Decide([Asked("user", "ann")]).Allowed);
    }

    [Fact]
    public void What_would_be_given_back_counts_nothing()
    {
        var limiter = Limiter(null, Rule("{key: a, value: x}", 1, "3600s"));
        Assert.True(limiter.Decide([Asked("a", "x", negative: true)]).Allowed);
        Assert.True(limiter.Decide([Asked("a", "x")]).Allowed);
    }

    private static LocalRateLimiter Limiter(TokenBucket? standard, params LocalRateLimitDescriptor[] rules) =>
        new(standard, rules, alwaysDefault: true, maxDynamic: 20);

    private static LocalRateLimitDescriptor Rule(string entry, int tokens, string interval) =>
        MessageJson.ParseYaml<LocalRateLimitDescriptor>(
            $"{{entries: [{entry}], token_bucket: {{max_tokens: {tokens}, fill_interval: {interval}}}}}", JsonReadOptions.Strict);

    private static RateLimitDescriptor Asked(string key, string value, bool negative = false, bool? shows = null) =>
        new([new(key, value)], null, negative, shows, null);
}
