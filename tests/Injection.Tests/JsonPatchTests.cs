using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class JsonPatchTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("""{"a":1}""", """{"a":2,"b":{"c":[]}}""")]
    [InlineData("""{"a/b":{"~":1},"c":null}""", """{"a/b":{"~":2}}""")]
    [InlineData("""{"l":[1,2,3]}""", """{"l":[0,1,2,3]}""")]
    [InlineData("""{"l":[1,2,3]}""", """{"l":[3]}""")]
    [InlineData("""{"l":[{"n":"a"},{"n":"b"}]}""", """{"l":[{"n":"x"},{"n":"a","v":1},{"n":"b"}]}""")]
    [InlineData("""{"l":[1,2,3,4,5]}""", """{"l":[1,9,5]}""")]
    [InlineData("""{"l":[]}""", """{"l":[{"a":{}}],"m":null}""")]
    [InlineData("""{"l":[1]}""", """{"l":{"0":1}}""")]
    public void Patch_turns_one_document_into_the_other(string before, string after)
    {
        var document = JsonNode.Parse(before)!;
        var patch = JsonPatch.Between(document, JsonNode.Parse(after)!);
        foreach (var operation in patch.OfType<JsonObject>())
            Apply(document, operation);
        Assert.True(JsonNode.DeepEquals(document, JsonNode.Parse(after)), document.ToJsonString());
    }

    [Fact]
    public void What_does_not_exist_is_added_whole()
    {
        var patch = JsonPatch.Between(
            JsonNode.Parse("""{"metadata":{}}""")!, JsonNode.Parse("""{"metadata":{"annotations":{"a/b":"1"}}}""")!);
        Assert.Equal("""[{"op":"add","path":"/metadata/annotations","value":{"a/b":"1"}}]""", patch.ToJsonString());
    }

    [Fact]
    public void Equal_documents_need_no_operation() =>
        Assert.Empty(JsonPatch.Between(JsonNode.Parse("""{"a":[1,{"b":2}]}""")!, JsonNode.Parse("""{"a":[1,{"b":2}]}""")!));

    // RFC 6902, as strict as the API server: parents must exist, indexes must be in the list.
    private static void Apply(JsonNode root, JsonObject operation)
    {
        var steps = operation["path"]!.GetValue<string>().Split('/').Skip(1)
            .Select(step => step.Replace("~1", "/").Replace("~0", "~")).ToArray();
        var parent = root;
        foreach (var step in steps[..^1])
            parent = parent is JsonArray list ? list[int.Parse(step)]! : parent[step]!;
        var value = operation["value"]?.DeepClone();
        var kind = operation["op"]!.GetValue<string>();
        if (parent is JsonArray array)
        {
            var index = int.Parse(steps[^1]);
            if (kind != "add")
                array.RemoveAt(index);
            if (kind != "remove")
                array.Insert(index, value);
            return;
        }
        if (kind != "add")
            Assert.True(parent.AsObject().ContainsKey(steps[^1]));
        if (kind == "remove")
            parent.AsObject().Remove(steps[^1]);
        else
            parent[steps[^1]] = value;
    }
}
