using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Documents;

/// <summary>JSON as Kubernetes' tools write it: compact and without escapes that only HTML needs.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // A repeated key has no single meaning: what one reader checks another would not see (RFC 8259 section 4).
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 128 };

    public static string Write(JsonNode node) => Encoding.UTF8.GetString(WriteUtf8(node));

    public static byte[] WriteUtf8(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
            node.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="JsonException">The text is no JSON or repeats a key.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8) => JsonNode.Parse(utf8, documentOptions: Strict);

    /// <exception cref="JsonException">The text is no JSON or repeats a key.</exception>
    public static JsonNode? Parse(string text) => JsonNode.Parse(text, documentOptions: Strict);

    public static JsonNode? TryParse(string? text)
    {
        if (text is null)
            return null;
        try
        {
            return Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
