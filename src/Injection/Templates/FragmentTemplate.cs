using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Templates;

/// <summary>
/// A user's own template: a YAML fragment of a pod, in whose texts `${image}`, `${uid}`, `${gid}`, `${revision}`,
/// `${annotation:NAME}`, `${label:NAME}` and `${values:a.b.c}` stand for what they name.
/// </summary>
internal sealed partial class FragmentTemplate(string name, string text) : ITemplate
{
    public JsonObject Render(TemplateInput input, SidecarDecision decision)
    {
        if (text.Contains("{{", StringComparison.Ordinal))
            throw new ManifestException($"template \"{name}\" is written in Go's template language, which is not run here; "
                + "write a YAML fragment with placeholders such as ${image}");
        var fragment = YamlReader.ReadObject(text, $"template \"{name}\"");
        Fill(fragment, input, decision);
        return fragment;
    }

    private void Fill(JsonNode? node, TemplateInput input, SidecarDecision decision)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (key, value) in map.ToList())
                {
                    if (Filled(value, input, decision) is { } filled)
                        map[key] = filled;
                    else
                        Fill(value, input, decision);
                }
                break;
            case JsonArray list:
                for (var k = 0; k < list.Count; k++)
                {
                    if (Filled(list[k], input, decision) is { } filled)
                        list[k] = filled;
                    else
                        Fill(list[k], input, decision);
                }
                break;
        }
    }

    private string? Filled(JsonNode? node, TemplateInput input, SidecarDecision decision) =>
        node is JsonValue value && value.TryGetValue<string>(out var given) && given.Contains("${", StringComparison.Ordinal)
            ? Placeholder().Replace(given, match => Meaning(match.Groups[1].Value, input, decision))
            : null;

    private string Meaning(string placeholder, TemplateInput input, SidecarDecision decision)
    {
        var (kind, key) = placeholder.Split(':', 2) is [var before, var after] ? (before, after) : (placeholder, "");
        return (kind, key) switch
        {
            ("image", "") => decision.Image,
            ("uid", "") => decision.Identity.User.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ("gid", "") => decision.Identity.Group.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ("revision", "") => decision.Revision,
            ("annotation", _) => input.Pod.Annotation(key) ?? "",
            ("label", _) => input.Pod.Label(key) ?? "",
            ("values", _) => Value(input.Values.Tree, key),
            _ => throw new ManifestException($"template \"{name}\" has the placeholder ${{{placeholder}}}, which is none of image, "
                + "uid, gid, revision, annotation:NAME, label:NAME, values:PATH; correct it"),
        };
    }

    private static string Value(JsonObject tree, string path)
    {
        JsonNode? node = tree;
        foreach (var step in path.Split('.'))
            node = (node as JsonObject)?[step];
        return NodeReading.AsText(node) ?? node?.Compact() ?? "";
    }

    [GeneratedRegex(@"\$\{([^}]*)\}")]
    private static partial Regex Placeholder();
}
