using System.Buffers;
using System.Text;
using System.Text.Json;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>Reads JSON text into nodes.</summary>
internal static class JsonDocumentReader
{
    /// <summary>Trailing commas are taken, as protobuf's own reader takes them.</summary>
    private static readonly JsonReaderOptions Options = new() { AllowTrailingCommas = true, MaxDepth = MessageParser.MaximumDepth };

    /// <exception cref="ProtobufException">The text is not JSON.</exception>
    public static ConfigNode Read(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, Options);
        try
        {
            reader.Read();
            var root = ReadValue(ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException error)
        {
            throw new ProtobufException(
                $"the JSON is malformed at line {error.LineNumber + 1}, column {error.BytePositionInLine + 1}: {Reason(error)}");
        }
    }

    private static string Reason(JsonException error)
    {
        var end = error.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end < 0 ? error.Message : error.Message[..end]).TrimEnd('.');
    }

    private static ConfigNode ReadValue(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader),
        JsonTokenType.StartArray => ReadList(ref reader),
        JsonTokenType.String => ConfigNode.OfText(reader.GetString()!),
        JsonTokenType.Number => ConfigNode.OfNumber(RawText(ref reader)),
        JsonTokenType.True => ConfigNode.True,
        JsonTokenType.False => ConfigNode.False,
        _ => ConfigNode.Null,
    };

    private static ConfigNode ReadObject(ref Utf8JsonReader reader)
    {
        var members = new List<KeyValuePair<string, ConfigNode>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            reader.Read();
            members.Add(new(name, ReadValue(ref reader)));
        }

        return ConfigNode.OfObject(members);
    }

    private static ConfigNode ReadList(ref Utf8JsonReader reader)
    {
        var items = new List<ConfigNode>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ReadValue(ref reader));
        }

        return ConfigNode.OfList(items);
    }

    private static string RawText(ref Utf8JsonReader reader) =>
        Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
}
