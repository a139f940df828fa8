using System.Text;
using Envoy.Config.Common.Matcher.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Upstream.Health;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public class ResponseErrorMatcherTests
{
    private const string Failed =
        """{"http_response_headers_match": {"headers": [{"name": "x-state", "string_match": {"exact": "failed"}}]}}""";

    [Theory]
    [InlineData(Failed, "failed", 500)]
    [InlineData(Failed, "fine", 200)]
    [InlineData("""{"not_match": """ + Failed + "}", "failed", 200)]
    [InlineData("""{"or_match": {"rules": [{"http_request_headers_match": {"headers": [{"name": "x-state"}]}}, """ + Failed + "]}}", "failed", 500)]
    [InlineData("""{"and_match": {"rules": [{"any_match": true}, """ + Failed + "]}}", "fine", 200)]
    public void Response_counts_by_its_headers(string config, string state, int expected)
    {
        var matcher = ResponseErrorMatcher.Compile(
            MessageJson.Parse<MatchPredicate>(Encoding.UTF8.GetBytes(config), JsonReadOptions.Strict), "error_matcher");
        var headers = new HeaderMap();
        headers.Add("x-state", state);
        Assert.Equal(expected, matcher.CodeOf(headers));
    }
}
