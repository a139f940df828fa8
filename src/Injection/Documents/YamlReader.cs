using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshProxy.Injection.Documents;

/// <summary>Reads a YAML document into the tree that the injector works on; aliases and merge keys are resolved.</summary>
internal static class YamlReader
{
    // A manifest has thousands of nodes; aliases that unfold to more than this are an attack ("billion laughs").
    private const int MostNodes = 1_000_000;

    /// <summary>The document, or null if the text has none.</summary>
    /// <exception cref="ManifestException">The text is no YAML.</exception>
    public static JsonNode? Read(string text, string what)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new ManifestException(
                $"{what} is not valid YAML: line {e.Start.Line}: {e.Message.TrimEnd('.')}; correct it and try again", e);
        }
        if (stream.Documents.Count > 1)
            throw new ManifestException($"{what} must be one YAML document and has {stream.Documents.Count}; keep one");
        if (stream.Documents.Count == 0)
            return null;
        var budget = MostNodes;
        return Convert(stream.Documents[0].RootNode, ref budget, what);
    }

    /// <exception cref="ManifestException">The text is no YAML map.</exception>
    public static JsonObject ReadObject(string text, string what) => Read(text, what) switch
    {
        null => [],
        JsonObject map => map,
        _ => throw new ManifestException($"{what} must be a YAML map of names to values; correct it and try again"),
    };

    private static JsonNode? Convert(YamlNode node, ref int budget, string what)
    {
        if (--budget < 0)
            throw new ManifestException($"{what} unfolds to more than {MostNodes} values; write it without so many aliases");
        switch (node)
        {
            case YamlScalarNode scalar:
                return Scalar(scalar);
            case YamlSequenceNode sequence:
                var list = new JsonArray();
                foreach (var child in sequence.Children)
                    list.Add(Convert(child, ref budget, what));
                return list;
            case YamlMappingNode mapping:
                return Map(mapping, ref budget, what);
            default:
                throw new ManifestException($"{what} has a YAML node of an unknown kind at line {node.Start.Line}; remove it");
        }
    }

    private static JsonNode? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (!scalar.Tag.IsEmpty && !scalar.Tag.IsNonSpecific && scalar.Tag.Value == "tag:yaml.org,2002:str")
            return JsonValue.Create(text);
        return scalar.Style is ScalarStyle.Plain ? YamlScalars.Resolve(text) : JsonValue.Create(text);
    }

    private static JsonObject Map(YamlMappingNode mapping, ref int budget, string what)
    {
        var map = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } name })
                throw new ManifestException($"{what} has a key that is no text at line {key.Start.Line}; write it as text");
            if (name == "<<")
                Merge(map, value, ref budget, what);
            else
                map[name] = Convert(value, ref budget, what);
        }
        return map;
    }

    // https://yaml.org/type/merge.html: keys of the map itself win, earlier merged maps win over later ones.
    private static void Merge(JsonObject map, YamlNode value, ref int budget, string what)
    {
        foreach (var source in value is YamlSequenceNode several ? several.Children : [value])
        {
            if (source is not YamlMappingNode merged)
                throw new ManifestException($"{what} merges (<<) something that is no map at line {source.Start.Line}; correct it");
            foreach (var (name, child) in Map(merged, ref budget, what))
            {
                if (!map.ContainsKey(name))
                    map[name] = child?.DeepClone();
            }
        }
    }
}
