using System.Text;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Route.V3;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Xds.Validation;
using Xunit;
using Buffer = Envoy.Extensions.Filters.Http.Buffer.V3.Buffer;
using Filter = Envoy.Config.Listener.V3.Filter;

namespace MeshProxy.Xds.Tests.Validation;

public sealed class MessageValidatorTests
{
    [Theory]
    [InlineData("""{}""", "name: must not be empty")]
    [InlineData("""{"name": "a", "connect_timeout": "0s"}""", "connect_timeout: must be greater than 0s, it is 0s")]
    [InlineData("""{"name": "a", "cleanup_interval": "-1s"}""", "cleanup_interval: ")]
    [InlineData("""{"name": "a", "lb_policy": 99}""", "lb_policy: 99 is none of the values")]
    [InlineData("""{"name": "a", "common_lb_config": {"healthy_panic_threshold": {"value": 101}}}""", "common_lb_config.healthy_panic_threshold.value: must be at most 100, it is 101")]
    [InlineData("""{"name": "a", "health_checks": [{}]}""", "health_checks[0].health_checker: one of its fields must be set")]
    [InlineData("""{"name": "a", "least_request_lb_config": {"choice_count": 1}}""", "least_request_lb_config.choice_count: must be at least 2, it is 1")]
    [InlineData("""{"name": "a", "metadata": {"filter_metadata": {"": {}}}}""", "metadata.filter_metadata[\"\"]: must not be empty")]
    public void ACluster(string json, string violation) => Check<Cluster>(json, violation);

    [Theory]
    [InlineData("""{"name": "v", "domains": []}""", "domains: must have at least 1 items")]
    [InlineData("""{"name": "v", "domains": ["a\nb"]}""", "domains[0]: must not contain line breaks or NUL")]
    [InlineData("""{"name": "v", "domains": ["a"], "request_headers_to_remove": ["a\rb"]}""", "request_headers_to_remove[0]: ")]
    [InlineData("""{"name": "v", "domains": ["a"], "request_headers_to_add": [{"header": {"key": ""}}]}""", "request_headers_to_add[0].header.key: must not be empty")]
    [InlineData("""{"name": "v", "domains": ["a"], "request_headers_to_add": [{}]}""", "request_headers_to_add[0].header: must be set")]
    public void AVirtualHost(string json, string violation) => Check<VirtualHost>(json, violation);

    [Fact]
    public void PackedConfigurationIsCheckedWhereAskedFor()
    {
        var filter = Read<Filter>($$"""{"name": "a", "typed_config": {"@type": "{{Buffer.Descriptor.TypeUrl}}"} }""");

        Assert.Equal(["typed_config.max_request_bytes: must be set"], Sentences(MessageValidator.Validate(filter.Message)));
        Assert.Empty(MessageValidator.Validate(filter.Message, intoAny: false));
        var error = Assert.Throws<ProtobufException>(() => MessageValidator.ValidateAndUnpack<Buffer>(filter.TypedConfig!));
        Assert.Equal("max_request_bytes: must be set", error.Message);
    }

    [Fact]
    public void AnotherTypeIsNotUnpacked()
    {
        var any = Any.Pack(Cluster.New());

        var error = Assert.Throws<ProtobufException>(() => MessageValidator.ValidateAndUnpack<Buffer>(any));

        Assert.Equal("a envoy.extensions.filters.http.buffer.v3.Buffer is expected here, not a envoy.config.cluster.v3.Cluster", error.Message);
    }

    [Fact]
    public void DeprecatedFieldsAreFound()
    {
        var cluster = Read<Cluster>("""{"name": "a", "http2_protocol_options": {}}""");

        Assert.Equal(["http2_protocol_options"], DeprecatedFieldList.Of(cluster.Message));
    }

    private static void Check<T>(string json, string violation)
        where T : struct, IMessage<T>
    {
        var found = Sentences(MessageValidator.Validate(Read<T>(json).Message));
        Assert.Contains(found, sentence => sentence.StartsWith(violation, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Sentences(IEnumerable<Violation> violations) =>
        violations.Select(violation => violation.ToString());

    private static T Read<T>(string json)
        where T : struct, IMessage<T> => MessageJson.Parse<T>(Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict);
}
