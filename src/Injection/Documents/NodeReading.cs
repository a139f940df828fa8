using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Documents;

/// <summary>
/// Reading of a document tree that keeps fields it does not know. A missing or differently typed field reads as absent:
/// whether the document is a valid pod is the API server's decision, not ours.
/// </summary>
internal static class NodeReading
{
    public static JsonObject? Object(this JsonNode? node, string name) => (node as JsonObject)?[name] as JsonObject;

    public static JsonArray? List(this JsonNode? node, string name) => (node as JsonObject)?[name] as JsonArray;

    /// <summary>A scalar as text; YAML's unquoted numbers and booleans read as they are written.</summary>
    public static string? Text(this JsonNode? node, string name) => AsText((node as JsonObject)?[name]);

    public static string? AsText(JsonNode? node) => node is not JsonValue value
        ? null
        : value.GetValueKind() switch
        {
            JsonValueKind.String => value.GetValue<string>(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => value.ToJsonString(),
        };

    public static bool Flag(this JsonNode? node, string name) => node.Text(name) == "true";

    public static int? Number(this JsonNode? node, string name) =>
        int.TryParse(node.Text(name), out var number) ? number : null;

    /// <summary>The members of a list that are objects.</summary>
    public static IEnumerable<JsonObject> Members(this JsonNode? node, string name) =>
        node.List(name)?.OfType<JsonObject>() ?? [];

    public static JsonObject? Named(this JsonNode? node, string list, string name) =>
        node.Members(list).FirstOrDefault(member => member.Text("name") == name);

    /// <summary>The object at <paramref name="name"/>, made if it is missing or null.</summary>
    public static JsonObject Require(this JsonObject node, string name)
    {
        if (node[name] is JsonObject present)
            return present;
        var made = new JsonObject();
        node[name] = made;
        return made;
    }

    public static JsonArray RequireList(this JsonObject node, string name)
    {
        if (node[name] is JsonArray present)
            return present;
        var made = new JsonArray();
        node[name] = made;
        return made;
    }

    /// <summary>A map of text to text, as labels and annotations are.</summary>
    public static IReadOnlyDictionary<string, string> TextMap(this JsonNode? node, string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in node.Object(name) ?? [])
        {
            if (AsText(value) is { } text)
                map[key] = text;
        }
        return map;
    }

    public static JsonArray ToJsonList(this IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>Text of any scalar without turning characters that JSON allows into escapes.</summary>
    public static string Compact(this JsonNode node) => JsonText.Write(node);
}
