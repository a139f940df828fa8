using Envoy.Service.Auth.V3;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Security.ExtAuthz;

public sealed class CheckResponseTests
{
    [Theory]
    [InlineData("{}", CheckStatus.Ok, 0)]
    [InlineData("{status: {code: 0}, denied_response: {status: {code: 401}}}", CheckStatus.Ok, 0)]
    [InlineData("{status: {code: 7}}", CheckStatus.Denied, 403)]
    [InlineData("{status: {code: 16}, ok_response: {}}", CheckStatus.Denied, 403)]
    [InlineData("{status: {code: 7}, denied_response: {status: {code: 401}}}", CheckStatus.Denied, 401)]
    [InlineData("{status: {code: 7}, denied_response: {status: {code: 100}}}", CheckStatus.Denied, 403)]
    [InlineData("{status: {code: 14}, error_response: {status: {code: 503}}}", CheckStatus.Error, 503)]
    [InlineData("{status: {code: 14}, error_response: {}}", CheckStatus.Error, 0)]
    internal void The_status_decides(string response, CheckStatus status, int code)
    {
        var result = Read(response);
        Assert.Equal(status, result.Status);
        Assert.Equal(code, result.StatusCode);
    }

    [Fact]
    public void Request_headers_follow_the_older_field()
    {
        var result = Read("""
            ok_response:
              headers:
              - {header: {key: a, value: "1"}}
              - {header: {key: b, value: "2"}, append: true}
              - {header: {key: c, value: "3"}, append: false}
              - {header: {key: d, value: "4"}, append_action: ADD_IF_ABSENT}
            """);
        Assert.Equal(["a", "c", "d"], result.HeadersToSet.Select(h => h.Name));
        Assert.Equal(["b"], result.HeadersToAppend.Select(h => h.Name));
    }

    [Fact]
    public void Response_headers_follow_either_field()
    {
        var result = Read("""
            ok_response:
              response_headers_to_add:
              - {header: {key: a}, append_action: APPEND_IF_EXISTS_OR_ADD}
              - {header: {key: b}, append_action: ADD_IF_ABSENT}
              - {header: {key: c}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
              - {header: {key: d}, append_action: OVERWRITE_IF_EXISTS}
              - {header: {key: e}, append: false}
              - {header: {key: f}, append: true}
            """);
        Assert.Equal(["a", "f"], result.ResponseHeadersToAdd.Select(h => h.Name));
        Assert.Equal(["b"], result.ResponseHeadersToAddIfAbsent.Select(h => h.Name));
        Assert.Equal(["c", "e"], result.ResponseHeadersToSet.Select(h => h.Name));
        Assert.Equal(["d"], result.ResponseHeadersToOverwriteIfExists.Select(h => h.Name));
    }

    [Fact]
    public void Metadata_of_the_answer_counts_before_that_of_the_ok_response()
    {
        var result = Read("{dynamic_metadata: {who: new}, ok_response: {dynamic_metadata: {who: old}}}");
        Assert.Equal(MetadataValue.From("new"), result.DynamicMetadata["who"]);
    }

    private static CheckResult Read(string yaml) =>
        GrpcAuthorizationClient.Read(MessageJson.ParseYaml<CheckResponse>(yaml, JsonReadOptions.Strict));
}
