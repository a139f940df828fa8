using System.Globalization;
using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Documents;

/// <summary>RFC 6902: the operations that turn one document into another.</summary>
internal static class JsonPatch
{
    public static JsonArray Between(JsonNode before, JsonNode after)
    {
        var operations = new JsonArray();
        Compare(before, after, "", operations);
        return operations;
    }

    private static void Compare(JsonNode? before, JsonNode? after, string path, JsonArray operations)
    {
        if (JsonNode.DeepEquals(before, after))
            return;
        if (before is JsonObject oldMap && after is JsonObject newMap)
            CompareMaps(oldMap, newMap, path, operations);
        else if (before is JsonArray oldList && after is JsonArray newList)
            CompareLists(oldList, newList, path, operations);
        else
            Add("replace", path, after, operations);
    }

    private static void CompareMaps(JsonObject before, JsonObject after, string path, JsonArray operations)
    {
        foreach (var (name, _) in before)
        {
            if (!after.ContainsKey(name))
                operations.Add((JsonNode)new JsonObject { ["op"] = "remove", ["path"] = Join(path, name) });
        }
        foreach (var (name, value) in after)
        {
            if (before.TryGetPropertyValue(name, out var old))
                Compare(old, value, Join(path, name), operations);
            else
                Add("add", Join(path, name), value, operations);
        }
    }

    // What both lists begin and end with stays. Between, members that have a counterpart are compared; surplus ones are
    // removed from the end, so that earlier indexes stay valid, or added in their order.
    private static void CompareLists(JsonArray before, JsonArray after, string path, JsonArray operations)
    {
        var shorter = Math.Min(before.Count, after.Count);
        var head = 0;
        while (head < shorter && JsonNode.DeepEquals(before[head], after[head]))
            head++;
        var tail = 0;
        while (tail < shorter - head && JsonNode.DeepEquals(before[^(tail + 1)], after[^(tail + 1)]))
            tail++;
        var both = shorter - head - tail;
        for (var k = head; k < head + both; k++)
            Compare(before[k], after[k], Join(path, k), operations);
        for (var k = before.Count - tail - 1; k >= head + both; k--)
            operations.Add((JsonNode)new JsonObject { ["op"] = "remove", ["path"] = Join(path, k) });
        for (var k = head + both; k < after.Count - tail; k++)
            Add("add", Join(path, k), after[k], operations);
    }

    private static void Add(string operation, string path, JsonNode? value, JsonArray operations) =>
        operations.Add((JsonNode)new JsonObject { ["op"] = operation, ["path"] = path, ["value"] = value?.DeepClone() });

    private static string Join(string path, int index) =>
        path + "/" + index.ToString(CultureInfo.InvariantCulture);

    private static string Join(string path, string name) => path + "/"
        + name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
