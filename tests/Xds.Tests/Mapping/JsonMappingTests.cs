using System.Text;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Xunit;
using Filter = Envoy.Config.Listener.V3.Filter;

namespace MeshProxy.Xds.Tests.Mapping;

public sealed class JsonMappingTests
{
    private static readonly string HcmUrl = HttpConnectionManager.Descriptor.TypeUrl;

    [Theory]
    [InlineData("""{"connect_timeout": "1.5s"}""", 1500)]
    [InlineData("""{"connectTimeout": "0.250s"}""", 250)]
    [InlineData("""{"connect_timeout": {"seconds": 2, "nanos": 500000000}}""", 2500)]
    [InlineData("""{"connect_timeout": "1s", "connectTimeout": "2s",}""", 2000)]
    public void DurationsAreReadInBothFormsAndSpellings(string json, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Read<Cluster>(json).ConnectTimeout);

    [Theory]
    [InlineData("\"static\"")]
    [InlineData("\"STATIC\"")]
    [InlineData("0")]
    [InlineData("\"0\"")]
    public void EnumsAreReadByNameAndNumber(string value)
    {
        var cluster = Read<Cluster>($$"""{"type": {{value}}}""");

        Assert.Equal(Cluster.DiscoveryType.Static, cluster.Type);
        Assert.Equal(Cluster.ClusterDiscoveryTypeOneofCase.Type, cluster.ClusterDiscoveryTypeCase);
    }

    [Theory]
    [InlineData("1024", 1024U)]
    [InlineData("\"1024\"", 1024U)]
    [InlineData("1e2", 100U)]
    [InlineData("\"4294967295\"", 4294967295U)]
    [InlineData("{}", 0U)]
    [InlineData("{\"value\": 5}", 5U)]
    public void NumbersAreReadAsTextAndInWrappers(string value, uint expected) =>
        Assert.Equal(expected, Read<Cluster>($$"""{"per_connection_buffer_limit_bytes": {{value}}}""").PerConnectionBufferLimitBytes);

    [Theory]
    [InlineData("""{"no_such": 1}""", "no_such: there is no field no_such in envoy.config.cluster.v3.Cluster")]
    [InlineData("""{"hosts": []}""", "hosts: the field hosts was removed")]
    [InlineData("""{"name": 1}""", "name: the number 1 stands where text is expected")]
    [InlineData("""{"connect_timeout": "5"}""", "connect_timeout: the text \"5\" is not a duration")]
    [InlineData("""{"connect_timeout": "1.0000000001s"}""", "connect_timeout: ")]
    [InlineData("""{"connect_timeout": ".5s"}""", "connect_timeout: ")]
    [InlineData("""{"connect_timeout": 5}""", "connect_timeout: the number 5 stands where a duration")]
    [InlineData("""{"lb_policy": "NO"}""", "lb_policy: the text \"NO\" is none of the values")]
    [InlineData("""{"per_connection_buffer_limit_bytes": 1.5}""", "is not a whole number")]
    [InlineData("""{"per_connection_buffer_limit_bytes": -1}""", "is out of range")]
    [InlineData("""{"per_connection_buffer_limit_bytes": 4294967296}""", "is out of range")]
    [InlineData("""{"load_assignment": []}""", "load_assignment: a list stands where an object")]
    [InlineData("""{"health_checks": [null]}""", "health_checks[0]: null")]
    [InlineData("""{"type": "STATIC", "cluster_type": {"name": "x"}}""", "cluster_type: only one field of cluster_discovery_type")]
    [InlineData("""{"load_assignment": {"endpoints": [{}, {"lb_endpoints": [{"x": 1}]}]}}""", "load_assignment.endpoints[1].lb_endpoints[0].x: ")]
    [InlineData("""{"transport_socket": {"typed_config": {"a": 1}}}""", "transport_socket.typed_config: @type is missing")]
    [InlineData("""{"transport_socket": {"typed_config": {"@type": "a/no.Such"}}}""", "the type a/no.Such is unknown")]
    [InlineData("""{"name": """, "the JSON is malformed at line 1")]
    [InlineData("""{} x""", "the JSON is malformed")]
    [InlineData("""[]""", "a list stands where an object")]
    public void WhatDoesNotFitIsRefusedWithItsPath(string json, string sentence)
    {
        var error = Assert.Throws<ProtobufException>(() => Read<Cluster>(json));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("\"true\"", true)]
    [InlineData("\"yes\"", true)]
    [InlineData("\"no\"", false)]
    public void BooleansAreReadAsWords(string value, bool expected) =>
        Assert.Equal(expected, Read<HttpConnectionManager>($$"""{"merge_slashes": {{value}}}""").MergeSlashes);

    [Theory]
    [InlineData("1")]
    [InlineData("\"perhaps\"")]
    public void OtherValuesAreNoBooleans(string value) =>
        Assert.Throws<ProtobufException>(() => Read<HttpConnectionManager>($$"""{"merge_slashes": {{value}}}"""));

    [Fact]
    public void OneObjectIsAListOfOneAndNullIsUnset()
    {
        var manager = Read<HttpConnectionManager>("""{"upgrade_configs": {"upgrade_type": "websocket"}, "server_name": null, "access_log": null}""");

        Assert.Equal("websocket", manager.UpgradeConfigs[0].UpgradeType);
        Assert.Equal(["upgrade_configs"], SetFields(manager.Message));
    }

    [Theory]
    [InlineData("aGk/Pg==")]
    [InlineData("aGk_Pg")]
    public void BytesAreReadInBothAlphabets(string text) =>
        Assert.Equal("hi?>"u8.ToArray(), Read<DataSource>($$"""{"inline_bytes": "{{text}}"}""").InlineBytes.ToArray());

    [Fact]
    public void UnknownFieldsAreLeftOutWhenAllowed()
    {
        var unknown = new List<string>();
        var options = new JsonReadOptions { OnUnknownField = unknown.Add };

        var cluster = MessageJson.Parse<Cluster>("""{"name": "a", "x": 1, "health_checks": [{"y": {}}]}"""u8, options);

        Assert.Equal(["x", "health_checks[0].y"], unknown);
        Assert.Equal("a", cluster.Name);
    }

    [Theory]
    [InlineData("xds.type.v3.TypedStruct")]
    [InlineData("udpa.type.v1.TypedStruct")]
    public void ATypedStructStandsForTheMessageItNames(string type)
    {
        var filter = Read<Filter>($$"""
            {"name": "a", "typed_config": {"@type": "type.googleapis.com/{{type}}", "type_url": "{{HcmUrl}}", "value": {"stat_prefix": "p"} } }
            """);
        var reread = Message.Parse<Filter>(filter.Message.ToBytes());

        Assert.True(reread.TypedConfig!.Is<HttpConnectionManager>());
        Assert.Equal("p", reread.TypedConfig!.Unpack<HttpConnectionManager>().StatPrefix);
        Assert.Equal("p", filter.TypedConfig!.Unpack<HttpConnectionManager>().StatPrefix);
        Assert.Equal(type, reread.TypedConfig!.RawMessage!.Type.FullName);
    }

    [Fact]
    public void TheContentOfATypedStructIsReadStrictly()
    {
        var error = Assert.Throws<ProtobufException>(() => Read<Filter>($$"""
            {"typed_config": {"@type": "a/xds.type.v3.TypedStruct", "type_url": "{{HcmUrl}}", "value": {"no_such": 1} } }
            """));

        Assert.StartsWith("typed_config.value.no_such: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWellKnownTypeInAnAnyHasAValueMember()
    {
        const string Json = """{"filter_metadata":{"a":{"n":null,"l":[1,true,"x"]}},"typed_filter_metadata":{"k":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"v"}}}""";

        var metadata = Read<Metadata>(Json);

        Assert.True(metadata.TypedFilterMetadata.TryGetValue("k", out var any));
        Assert.Equal("v", any.Unpack<StringValue>().Value);
        Assert.Equal(Json, metadata.Message.ToJsonText(JsonWriteOptions.Compact));
        Assert.Contains("\"filterMetadata\":", metadata.Message.ToJsonText(JsonWriteOptions.CamelCase), StringComparison.Ordinal);
    }

    [Fact]
    public void DefaultsArePrintedOnRequest()
    {
        var json = SocketAddress.New().Message.ToJsonText(new JsonWriteOptions { Indented = false, PrintDefaults = true });

        Assert.Contains("\"protocol\":\"TCP\"", json, StringComparison.Ordinal);
        Assert.Contains("\"address\":\"\"", json, StringComparison.Ordinal);
        Assert.DoesNotContain("port_value", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-01-31T12:00:00Z")]
    [InlineData("2026-01-31T12:00:00.123Z")]
    [InlineData("1960-01-31T12:00:00.000001Z")]
    public void TimesSurviveARoundTrip(string time)
    {
        var json = $$"""{"last_updated":"{{time}}"}""";

        Assert.Equal(json, Read<Envoy.Admin.V3.ListenersConfigDump.StaticListener>(json).Message.ToJsonText(JsonWriteOptions.Compact));
    }

    private static T Read<T>(string json)
        where T : struct, IMessage<T> => MessageJson.Parse<T>(Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict);

    private static IEnumerable<string> SetFields(Message message) =>
        message.Type.Fields.ToArray().Where(message.Has).Select(field => field.Name);
}
