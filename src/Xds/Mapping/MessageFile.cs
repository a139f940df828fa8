using System.Text;
using Envoy.Service.Discovery.V3;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>A message in a file; the end of its name decides the form, as for Envoy.</summary>
public static class MessageFile
{
    /// <summary><c>.pb</c> is wire bytes, <c>.yaml</c> and <c>.yml</c> are YAML, everything else is JSON.</summary>
    /// <exception cref="ProtobufException">The file cannot be read, is malformed or does not fit the type.</exception>
    public static Message Load(string path, MessageType type, JsonReadOptions options)
    {
        try
        {
            return Parse(path, ReadAll(path), type, options);
        }
        catch (ProtobufException error)
        {
            throw new ProtobufException($"{path}: {error.Message}");
        }
    }

    /// <summary>
    /// The resources in the content of a file: discovery responses, lists of resources, or single ones with their @type;
    /// in YAML any number of documents.
    /// </summary>
    /// <exception cref="ProtobufException">The content is malformed or does not fit its types.</exception>
    public static IReadOnlyList<Any> ParseResources(string path, byte[] content, JsonReadOptions options)
    {
        if (HasEnding(path, ".pb"))
        {
            return [.. DiscoveryResponse.From(ParseBytes(content, DiscoveryResponse.Descriptor, options)).Resources];
        }

        var resources = new List<Any>();
        foreach (var document in Documents(path, content))
        {
            var response = NodeReader.Read(AsResponse(document), DiscoveryResponse.Descriptor, options);
            resources.AddRange(DiscoveryResponse.From(response).Resources);
        }

        return resources;
    }

    private static IReadOnlyList<ConfigNode> Documents(string path, byte[] content) => IsYaml(path)
        ? YamlDocumentReader.ReadAll(Encoding.UTF8.GetString(content))
        : [JsonDocumentReader.Read(content)];

    private static ConfigNode AsResponse(ConfigNode document) => document.Kind switch
    {
        NodeKind.Null => ConfigNode.OfObject([]),
        NodeKind.List => ConfigNode.OfObject([new("resources", document)]),
        NodeKind.Object when IsResource(document) =>
            ConfigNode.OfObject([new("resources", ConfigNode.OfList([document]))]),
        _ => document,
    };

    private static bool IsResource(ConfigNode document) =>
        document.Find("@type") is { Kind: NodeKind.Text } type
        && SchemaRegistry.FindByUrl(type.Text) != DiscoveryResponse.Descriptor;

    private static Message Parse(string path, byte[] content, MessageType type, JsonReadOptions options)
    {
        if (HasEnding(path, ".pb"))
        {
            return ParseBytes(content, type, options);
        }

        if (HasEnding(path, ".pb_text"))
        {
            throw new ProtobufException("protobuf's text form is not read: write JSON, YAML or .pb");
        }

        return IsYaml(path)
            ? MessageJson.ParseYaml(type, Encoding.UTF8.GetString(content), options)
            : MessageJson.Parse(type, content, options);
    }

    private static Message ParseBytes(byte[] content, MessageType type, JsonReadOptions options)
    {
        var message = Message.Parse(type, content);
        foreach (var (path, number) in UnknownFieldList.Of(message))
        {
            var name = FieldPath.Append(path, number.ToString());
            if (options.OnUnknownField is not { } report)
            {
                throw new ProtobufException($"{name}: there is no field of this number: correct it, or allow unknown fields");
            }

            report(name);
        }

        return message;
    }

    private static byte[] ReadAll(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ProtobufException($"the file cannot be read: {error.Message}");
        }
    }

    private static bool IsYaml(string path) => HasEnding(path, ".yaml") || HasEnding(path, ".yml");

    private static bool HasEnding(string path, string ending) => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
