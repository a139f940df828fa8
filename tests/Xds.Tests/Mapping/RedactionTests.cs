using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Mapping;

public sealed class RedactionTests
{
    private const string Secret = """{"name":"a","tls_certificate":{"certificate_chain":{"inline_string":"public"},"private_key":{"inline_string":"KEY"},"password":{"inline_bytes":"S0VZ"}}}""";

    [Fact]
    public void SensitiveFieldsAreHiddenAndOthersShown()
    {
        var secret = MessageJson.Parse<Secret>(System.Text.Encoding.UTF8.GetBytes(Secret), JsonReadOptions.Strict);

        var shown = Redaction.Redact(secret.Message).ToJsonText(JsonWriteOptions.Compact);

        Assert.Contains("\"private_key\":{\"inline_string\":\"[redacted]\"}", shown, StringComparison.Ordinal);
        Assert.Contains("\"password\":{\"inline_bytes\":\"W3JlZGFjdGVkXQ==\"}", shown, StringComparison.Ordinal);
        Assert.Contains("public", shown, StringComparison.Ordinal);
        Assert.Equal("KEY", secret.TlsCertificate!.Value.PrivateKey!.Value.InlineString);
    }

    [Theory]
    [InlineData("""{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",""")]
    [InlineData("""{"@type":"type.googleapis.com/xds.type.v3.TypedStruct","type_url":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret","value":{""")]
    public void PackedMessagesAreRedactedToo(string opening)
    {
        var json = $$"""{"typed_config":{{opening}}{{Secret[1..]}}{{(opening.Contains("value", StringComparison.Ordinal) ? "}" : "")}}}""";
        var holder = MessageJson.Parse<Envoy.Config.Core.V3.TransportSocket>(
            System.Text.Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict);

        var shown = Redaction.Redact(holder.Message).ToJsonText(JsonWriteOptions.Compact);

        Assert.DoesNotContain("KEY", shown, StringComparison.Ordinal);
        Assert.Contains("[redacted]", shown, StringComparison.Ordinal);
        Assert.Contains("public", shown, StringComparison.Ordinal);
    }
}
