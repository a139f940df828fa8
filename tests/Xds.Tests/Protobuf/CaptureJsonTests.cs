using System.Text.Json.Nodes;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Protobuf;

/// <summary>The captures come with the same message as JSON.</summary>
public sealed class CaptureJsonTests
{
    public static TheoryData<string> Responses =>
        [.. CaptureTests.BinaryFiles().Where(file => File.Exists(JsonOf(file)))];

    [Theory]
    [MemberData(nameof(Responses))]
    public void BytesAndJsonAreTheSameMessage(string file)
    {
        var type = CaptureTests.TypeOf(file);
        var fromBytes = Message.Parse(type, File.ReadAllBytes(Path.Combine(Repository.Captures, file)));
        var json = File.ReadAllBytes(JsonOf(file));

        Assert.Equal(fromBytes, MessageJson.Parse(type, json, JsonReadOptions.Strict));
        Assert.True(JsonNode.DeepEquals(
            Normal(JsonNode.Parse(json)), Normal(JsonNode.Parse(fromBytes.ToJson(JsonWriteOptions.Admin)))));
    }

    /// <summary>Numbers as doubles, so that 1 and 1.0 are equal.</summary>
    private static JsonNode? Normal(JsonNode? node) => node switch
    {
        JsonObject value => new JsonObject(value.Select(member => KeyValuePair.Create(member.Key, Normal(member.Value)))),
        JsonArray value => new JsonArray([.. value.Select(Normal)]),
        JsonValue value when value.TryGetValue<double>(out var number) => JsonValue.Create(number),
        _ => node?.DeepClone(),
    };

    private static string JsonOf(string file) =>
        Path.ChangeExtension(Path.Combine(Repository.Captures, file), ".json");
}
