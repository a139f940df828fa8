using Envoy.Service.Ratelimit.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.RateLimits;

public sealed class QuotaHeadersTests
{
    [Fact]
    public void Draft_headers_list_all_limits_and_show_the_tightest()
    {
        var headers = QuotaHeaders.Draft03(Statuses("""
            statuses:
            - {current_limit: {requests_per_unit: 100, unit: HOUR}, limit_remaining: 90, duration_until_reset: 1800s}
            - {current_limit: {requests_per_unit: 10, unit: MINUTE, name: per-minute}, limit_remaining: 4, duration_until_reset: 30.9s}
            - {limit_remaining: 0}
            """)).ToList();
        Assert.Equal(
            [
                new UnsafeHeader("x-ratelimit-limit", "10, 100;w=3600, 10;w=60;name=\"per-minute\""),
                new UnsafeHeader("x-ratelimit-remaining", "4"),
                new UnsafeHeader("x-ratelimit-reset", "30"),
            ],
            headers);
    }

    [Theory]
    [InlineData("SECOND", 1)]
    [InlineData("DAY", 86400)]
    [InlineData("WEEK", 604800)]
    [InlineData("MONTH", 2592000)]
    [InlineData("YEAR", 31536000)]
    public void Units_are_windows_in_seconds(string unit, int seconds)
    {
        var headers = QuotaHeaders.Draft03(Statuses(
            $"statuses: [{{current_limit: {{requests_per_unit: 7, unit: {unit}, unit_multiplier: 2}}}}]")).ToList();
        Assert.Equal($"7, 7;w={seconds * 2}", headers[0].Value);
    }

    [Fact]
    public void Nothing_is_shown_when_no_limit_is_told() => Assert.Empty(QuotaHeaders.Draft03(Statuses("statuses: [{code: OVER_LIMIT}]")));

    [Theory]
    [InlineData("statuses: [{code: OVER_LIMIT, duration_until_reset: 5s}, {code: OVER_LIMIT, duration_until_reset: 9s}]", "9")]
    [InlineData("statuses: [{code: OK, duration_until_reset: 60s}, {code: OVER_LIMIT, duration_until_reset: 5s}]", "5")]
    [InlineData("statuses: [{code: OVER_LIMIT}]", null)]
    public void A_client_may_come_again_when_every_exceeded_limit_is_new(string response, string? seconds) =>
        Assert.Equal(seconds, QuotaHeaders.RetryAfter(Statuses(response))?.Value);

    private static IReadOnlyList<RateLimitResponse.DescriptorStatus> Statuses(string yaml) =>
        MessageJson.ParseYaml<RateLimitResponse>(yaml, JsonReadOptions.Strict).Statuses;
}
