using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.AccessLogs.Remote;
using MeshProxy.Xds.Mapping;
using Opentelemetry.Proto.Common.V1;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.AccessLogs.Remote;

public sealed class OtlpValueFormatTests
{
    [Fact]
    public void TextsAreFormattedAtAnyDepth()
    {
        var format = Compile("""
            {"kvlist_value": {"values": [
              {"key": "list", "value": {"array_value": {"values": [{"string_value": "%REQ(:METHOD)%"}, {"string_value": "x"}]}}},
              {"key": "none", "value": {"string_value": "%REQ(x-none)%"}}]}}
            """);
        var fields = format.Format(LogContexts.Http()).KvlistValue!.Value.Values;
        Assert.Equal(["GET", "x"], fields[0].Value!.Value.ArrayValue!.Value.Values.Select(item => item.StringValue));
        Assert.Equal("-", fields[1].Value!.Value.StringValue);
    }

    [Theory]
    [InlineData("""{"int_value": 1}""")]
    [InlineData("""{"array_value": {"values": [{"bool_value": true}]}}""")]
    [InlineData("""{"string_value": "%NO_SUCH_COMMAND%"}""")]
    public void OtherKindsAndUnknownCommandsAreRefused(string value) =>
        Assert.Throws<ConfigurationException>(() => Compile(value));

    private static OtlpValueFormat Compile(string json) => OtlpValueFormat.Compile(
        MessageJson.Parse<AnyValue>(System.Text.Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict), null, "body");
}
