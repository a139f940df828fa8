using System.Text;
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

        return HasEnding(path, ".yaml") || HasEnding(path, ".yml")
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

    private static bool HasEnding(string path, string ending) => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
