using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>Messages from JSON and YAML text, and to JSON. Errors are one sentence with the path of the field.</summary>
public static class MessageJson
{
    /// <exception cref="ProtobufException">The text is malformed or does not fit the type.</exception>
    public static Message Parse(MessageType type, ReadOnlySpan<byte> json, JsonReadOptions options) =>
        NodeReader.Read(JsonDocumentReader.Read(json), type, options);

    /// <inheritdoc cref="Parse(MessageType, ReadOnlySpan{byte}, JsonReadOptions)"/>
    public static T Parse<T>(ReadOnlySpan<byte> json, JsonReadOptions options)
        where T : struct, IMessage<T> => T.From(Parse(T.Descriptor, json, options));

    /// <inheritdoc cref="Parse(MessageType, ReadOnlySpan{byte}, JsonReadOptions)"/>
    public static Message ParseYaml(MessageType type, string yaml, JsonReadOptions options) =>
        NodeReader.Read(YamlDocumentReader.Read(yaml), type, options);

    /// <inheritdoc cref="Parse(MessageType, ReadOnlySpan{byte}, JsonReadOptions)"/>
    public static T ParseYaml<T>(string yaml, JsonReadOptions options)
        where T : struct, IMessage<T> => T.From(ParseYaml(T.Descriptor, yaml, options));

    /// <summary>A Struct of free form, such as an access log's JSON format, as the message of a type.</summary>
    /// <exception cref="ProtobufException">The struct does not fit the type.</exception>
    public static Message FromStruct(MessageType type, Message value, JsonReadOptions options) =>
        NodeReader.Read(StructValues.StructToNode(value), type, options);

    /// <summary>A message as JSON; what is packed in it is expanded beside its @type.</summary>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static byte[] ToJson(this Message message, JsonWriteOptions options)
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteJson(message, buffer, options);
        return buffer.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="ToJson"/>
    public static void WriteJson(this Message message, IBufferWriter<byte> buffer, JsonWriteOptions options)
    {
        // One space a level, as protobuf indents.
        var form = new JsonWriterOptions
        {
            Indented = options.Indented,
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using var writer = new Utf8JsonWriter(buffer, form);
        new MessageJsonWriter(writer, options).Write(message);
    }

    /// <inheritdoc cref="ToJson"/>
    public static string ToJsonText(this Message message, JsonWriteOptions options) =>
        Encoding.UTF8.GetString(message.ToJson(options));
}
