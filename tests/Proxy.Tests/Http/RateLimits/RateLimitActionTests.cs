using System.Net;
using Envoy.Config.Route.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Tests.Security;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.RateLimits;

public sealed class RateLimitActionTests
{
    private const string Expr = "'@type': type.googleapis.com/envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor";
    private const string HeaderInput = "'@type': type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput";

    // "-" stands for a descriptor that is dropped, "" for an entry that is left out.
    [Theory]
    [InlineData("remote_address: {}", "remote_address=203.0.113.9")]
    [InlineData("masked_remote_address: {v4_prefix_mask_len: 20}", "masked_remote_address=203.0.112.0/20")]
    [InlineData("request_headers: {header_name: x-key, descriptor_key: k}", "k=v")]
    [InlineData("request_headers: {header_name: absent, descriptor_key: k}", "-")]
    [InlineData("request_headers: {header_name: absent, descriptor_key: k, skip_if_absent: true}", "")]
    [InlineData("generic_key: {descriptor_value: fixed}", "generic_key=fixed")]
    [InlineData("generic_key: {descriptor_value: '%REQ(x-key)%', descriptor_key: k}", "k=v")]
    [InlineData("query_parameters: {query_parameter_name: q, descriptor_key: k}", "k=1")]
    [InlineData("header_value_match: {descriptor_value: met, headers: [{name: x-key, present_match: true}]}", "header_match=met")]
    [InlineData("header_value_match: {descriptor_value: met, default_value: d, headers: [{name: absent, present_match: true}]}", "-")]
    [InlineData("header_value_match: {descriptor_value: met, expect_match: false, headers: [{name: absent, present_match: true}]}", "header_match=met")]
    [InlineData("query_parameter_value_match: {descriptor_value: met, query_parameters: [{name: q, string_match: {exact: '1'}}]}", "query_match=met")]
    [InlineData("remote_address_match: {descriptor_value: in, address_matcher: {ranges: [{address_prefix: 203.0.113.0, prefix_len: 24}]}}", "remote_address_match=in")]
    [InlineData("remote_address_match: {descriptor_value: in, address_matcher: {ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]}}", "-")]
    [InlineData("extension: {name: e, typed_config: {" + Expr + ", descriptor_key: k, text: 'request.headers[\"x-key\"]'}}", "k=v")]
    [InlineData("extension: {name: e, typed_config: {" + Expr + ", descriptor_key: k, text: 'request.headers[\"no\"]'}}", "-")]
    [InlineData("extension: {name: e, typed_config: {" + Expr + ", descriptor_key: k, skip_if_error: true, text: 'request.headers[\"no\"]'}}", "")]
    [InlineData("extension: {name: input, typed_config: {" + HeaderInput + ", header_name: x-key}}", "input=v")]
    public void An_action_makes_an_entry(string action, string expected)
    {
        using var loop = new EventLoop("test", 0);
        var compiled = RateLimitAction.Compile(
            MessageJson.ParseYaml<RateLimit.Action>($"{{{action}}}", JsonReadOptions.Strict), new TestContext(loop), "actions[0]");
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Path, "/?q=1"u8);
        headers.Add("x-key", "v");
        var entries = new List<KeyValuePair<string, string>>();
        var made = compiled.Add(new RateLimitContext(headers, Info(), null), entries);
        Assert.Equal(expected, made ? string.Join(",", entries.Select(e => $"{e.Key}={e.Value}")) : "-");
    }

    private static StreamInfo Info()
    {
        var remote = new IPEndPoint(IPAddress.Parse("203.0.113.9"), 1);
        var local = new IPEndPoint(IPAddress.Loopback, 2);
        return new StreamInfo
        {
            StartTime = DateTime.UnixEpoch,
            StartNanoseconds = 0,
            Downstream = new ConnectionInfo
            {
                LocalAddress = local, DirectLocalAddress = local, RemoteAddress = remote, DirectRemoteAddress = remote,
            },
        };
    }
}
