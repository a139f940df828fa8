using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Writes JSON as Envoy's logs have it: compact, keys in order, UTF-8 unescaped.</summary>
internal static class JsonText
{
    private static readonly System.Buffers.SearchValues<byte> Special = System.Buffers.SearchValues.Create(SpecialBytes());

    public static void WriteString(ReadOnlySpan<byte> text, ByteWriter output)
    {
        output.Write((byte)'"');
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAny(Special);
            if (plain < 0)
            {
                output.Write(text);
                break;
            }
            output.Write(text[..plain]);
            text = text[plain..];
            text = text[0] < 0x80 ? WriteEscape(text, output) : WriteUtf8(text, output);
        }
        output.Write((byte)'"');
    }

    public static void WriteString(string text, ByteWriter output)
    {
        var scratch = ByteWriter.Rent();
        scratch.Write(text);
        WriteString(scratch.Written, output);
        ByteWriter.Return(scratch);
    }

    /// <summary>Integers without fraction, others as short as they read back the same.</summary>
    public static void WriteNumber(double number, ByteWriter output)
    {
        // 2^53: beyond it doubles skip integers, and their shortest form uses an exponent.
        if (number == Math.Floor(number) && Math.Abs(number) < 9007199254740992)
        {
            output.Write((long)number);
            return;
        }
        output.Write(double.IsFinite(number) ? number.ToString("R", CultureInfo.InvariantCulture) : "null");
    }

    public static void WriteValue(MetadataValue value, ByteWriter output)
    {
        switch (value)
        {
            case MetadataValue.BoolNode boolean:
                output.Write(boolean.Value ? "true"u8 : "false"u8);
                break;
            case MetadataValue.NumberNode number:
                WriteNumber(number.Value, output);
                break;
            case MetadataValue.StringNode text:
                WriteString(text.Value, output);
                break;
            case MetadataValue.ListNode list:
                WriteList(list.Items, output);
                break;
            case MetadataValue.StructNode fields:
                WriteStruct(fields.Fields, output);
                break;
            default:
                output.Write("null"u8);
                break;
        }
    }

    public static void WriteStruct(IReadOnlyDictionary<string, MetadataValue> fields, ByteWriter output)
    {
        var keys = new string[fields.Count];
        var count = 0;
        foreach (var (key, _) in fields)
        {
            keys[count++] = key;
        }
        Array.Sort(keys, StringComparer.Ordinal);
        output.Write((byte)'{');
        for (var i = 0; i < keys.Length; i++)
        {
            if (i > 0)
            {
                output.Write((byte)',');
            }
            WriteString(keys[i], output);
            output.Write((byte)':');
            WriteValue(fields[keys[i]], output);
        }
        output.Write((byte)'}');
    }

    private static void WriteList(IReadOnlyList<MetadataValue> items, ByteWriter output)
    {
        output.Write((byte)'[');
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
            {
                output.Write((byte)',');
            }
            WriteValue(items[i], output);
        }
        output.Write((byte)']');
    }

    private static ReadOnlySpan<byte> WriteEscape(ReadOnlySpan<byte> text, ByteWriter output)
    {
        var escape = text[0] switch
        {
            (byte)'"' => "\\\""u8,
            (byte)'\\' => "\\\\"u8,
            (byte)'\n' => "\\n"u8,
            (byte)'\r' => "\\r"u8,
            (byte)'\t' => "\\t"u8,
            (byte)'\b' => "\\b"u8,
            (byte)'\f' => "\\f"u8,
            _ => default,
        };
        if (escape.IsEmpty)
        {
            output.Write("\\u00"u8);
            output.Write((byte)"0123456789abcdef"[text[0] >> 4]);
            output.Write((byte)"0123456789abcdef"[text[0] & 15]);
        }
        else
        {
            output.Write(escape);
        }
        return text[1..];
    }

    // Header values are bytes; those that are no UTF-8 are taken as Latin-1, so that the line stays valid JSON.
    private static ReadOnlySpan<byte> WriteUtf8(ReadOnlySpan<byte> text, ByteWriter output)
    {
        if (Rune.DecodeFromUtf8(text, out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            output.Write(text[..length]);
            return text[length..];
        }
        output.Write((byte)(0xC0 | (text[0] >> 6)));
        output.Write((byte)(0x80 | (text[0] & 0x3F)));
        return text[1..];
    }

    private static byte[] SpecialBytes()
    {
        var bytes = new List<byte> { (byte)'"', (byte)'\\', 0x7F };
        for (var i = 0; i < 0x20; i++)
        {
            bytes.Add((byte)i);
        }
        for (var i = 0x80; i <= 0xFF; i++)
        {
            bytes.Add((byte)i);
        }
        return [.. bytes];
    }
}
