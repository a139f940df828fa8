using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Failures;

public sealed class FailureLogTests
{
    private static readonly DateTime Ever = DateTime.MinValue;

    public static TheoryData<int> Flags()
    {
        var flags = new TheoryData<int>();
        foreach (var flag in Enum.GetValues<ResponseFlags>().Where(static flag => flag != ResponseFlags.None))
        {
            flags.Add(System.Numerics.BitOperations.TrailingZeroCount((ulong)flag));
        }
        return flags;
    }

    [Theory]
    [MemberData(nameof(Flags))]
    public void Every_flag_has_its_own_sentence(int flag)
    {
        var info = Info();
        info.SetFlag((ResponseFlags)(1UL << flag));
        var log = new FailureLog();
        log.Add(info);
        var sentence = Assert.Single(log.Since(Ever)).Sentence;
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("The exchange ended with", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("  ", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, "via_upstream", ResponseFlags.None, false)]
    [InlineData(404, "via_upstream", ResponseFlags.None, false)]
    [InlineData(503, "via_upstream", ResponseFlags.None, true)]
    [InlineData(404, "direct_response", ResponseFlags.None, false)]
    [InlineData(404, "route_not_found", ResponseFlags.NoRouteFound, true)]
    [InlineData(403, "rbac_access_denied_matched_policy[none]", ResponseFlags.None, true)]
    [InlineData(200, "", ResponseFlags.ResponseFromCacheFilter, false)]
    [InlineData(0, "downstream_remote_disconnect", ResponseFlags.DownstreamConnectionTermination, true)]
    public void Knows_what_a_failure_is(int code, string details, ResponseFlags flags, bool expected)
    {
        var info = Info();
        info.ResponseCode = code;
        info.ResponseCodeDetails = details;
        info.ResponseFlags = flags;
        Assert.Equal(expected, FailureLog.IsFailure(info));
    }

    [Fact]
    public void Groups_what_is_explained_alike_and_keeps_the_last_example_without_its_query()
    {
        var log = new FailureLog();
        log.Add(Failed("no_healthy_upstream", ResponseFlags.NoHealthyUpstream), Headers("/a?secret=1"));
        log.Add(Failed("no_healthy_upstream", ResponseFlags.NoHealthyUpstream), Headers("/b#x"));
        log.Add(Failed("route_not_found", ResponseFlags.NoRouteFound), Headers("/c"));
        var groups = log.Since(Ever);
        Assert.Equal(2, groups.Count);
        var group = groups.First(static one => one.Flags == "UH");
        Assert.Equal((2, "GET shop/b", "192.0.2.7"), (group.Count, group.Example, group.Peer));
        Assert.True(group.First <= group.Last);
    }

    [Fact]
    public void Is_bounded_and_forgets_what_was_seen_longest_ago()
    {
        var log = new FailureLog();
        for (var i = 0; i < 1000; i++)
        {
            log.Add(Failed($"reason_{i}", ResponseFlags.UpstreamConnectionFailure));
        }
        var kept = log.Since(Ever);
        Assert.Equal(128, kept.Count);
        Assert.Contains(kept, static one => one.Details == "reason_999");
        Assert.DoesNotContain(kept, static one => one.Details == "reason_0");
        Assert.Empty(log.Since(DateTime.UtcNow.AddMinutes(1)));
    }

    [Theory]
    [InlineData("rbac_access_denied_matched_policy[ns[shop]-policy[viewer]-rule[2]]", "AuthorizationPolicy viewer in namespace shop, rule 2")]
    [InlineData("rbac_access_denied_matched_policy[none]", "none matches")]
    [InlineData("jwt_authn_access_denied{Jwt_is_missing}", "Jwt is missing")]
    [InlineData("missing_host_header", "no host header")]
    public void Details_say_more_than_the_code(string details, string part) =>
        Assert.Contains(part, Sentence(Failed(details, ResponseFlags.None)), StringComparison.Ordinal);

    [Fact]
    public void The_last_attempt_is_explained_and_that_retries_failed()
    {
        var info = Failed("upstream_reset_before_response_started{remote_connection_failure}", ResponseFlags.UpstreamRetryLimitExceeded);
        info.SetFlag(ResponseFlags.UpstreamConnectionFailure);
        var sentence = Sentence(info);
        Assert.StartsWith("No connection to the endpoint", sentence, StringComparison.Ordinal);
        Assert.EndsWith("all retries failed as well.", sentence, StringComparison.Ordinal);
    }

    private static string Sentence(StreamInfo info)
    {
        var log = new FailureLog();
        log.Add(info);
        return Assert.Single(log.Since(Ever)).Sentence;
    }

    private static StreamInfo Failed(string details, ResponseFlags flag)
    {
        var info = Info();
        info.ResponseCode = 403;
        info.ResponseCodeDetails = details;
        info.ResponseFlags = flag;
        return info;
    }

    private static HeaderMap Headers(string path)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, "GET");
        headers.Set(KnownHeader.Authority, "shop");
        headers.Set(KnownHeader.Path, path);
        return headers;
    }

    private static StreamInfo Info()
    {
        var address = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4000);
        return new StreamInfo
        {
            StartTime = DateTime.UtcNow,
            StartNanoseconds = 0,
            Downstream = new ConnectionInfo
            {
                LocalAddress = address, DirectLocalAddress = address, RemoteAddress = address, DirectRemoteAddress = address,
            },
        };
    }
}
