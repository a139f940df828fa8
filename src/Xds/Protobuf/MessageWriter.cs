using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Writes a message backwards: fields from the highest number down, elements from the last.</summary>
internal static class MessageWriter
{
    public static void Write(Message message, ref WireWriter writer)
    {
        if (message.UnknownBytes is { } unknown)
        {
            writer.WriteBytes(unknown);
        }

        for (var rest = message.Presence; rest != 0;)
        {
            var index = BitOperations.Log2(rest);
            rest &= ~(1UL << index);
            WriteField(message, message.Type.Fields[index], ref writer);
        }
    }

    private static void WriteField(Message message, FieldDescriptor field, ref WireWriter writer)
    {
        if (field.IsMap)
        {
            WriteMap((MapField)message.Reference(field.Index)!, field, ref writer);
        }
        else if (field.IsRepeated)
        {
            WriteRepeated((RepeatedField)message.Reference(field.Index)!, field, ref writer);
        }
        else if (field.IsBits)
        {
            WriteBits(message.Bits(field.Index), field, field.Number, ref writer);
        }
        else
        {
            WriteReference(message.Reference(field.Index)!, field, field.Number, ref writer);
        }
    }

    private static void WriteMap(MapField map, FieldDescriptor field, ref WireWriter writer)
    {
        for (var i = map.Count - 1; i >= 0; i--)
        {
            var end = writer.Length;
            if (field.IsBits)
            {
                WriteBits(map.Values.BitsAt(i), field, 2, ref writer);
            }
            else
            {
                WriteReference(map.Values.ReferenceAt(i), field, 2, ref writer);
            }

            if (map.Keys.IsBits)
            {
                var keyType = WriteBitsValue(map.Keys.BitsAt(i), field.KeyKind, ref writer);
                writer.WriteTag(1, keyType);
            }
            else
            {
                WriteText((string)map.Keys.ReferenceAt(i), 1, ref writer);
            }

            Prefix(field.Number, end, ref writer);
        }
    }

    private static void WriteRepeated(RepeatedField elements, FieldDescriptor field, ref WireWriter writer)
    {
        var isPacked = field.IsBits && !field.IsWrapper && field.Kind != FieldKind.Duration;
        var end = writer.Length;
        for (var i = elements.Count - 1; i >= 0; i--)
        {
            if (isPacked)
            {
                WriteBitsValue(elements.BitsAt(i), field.Kind, ref writer);
            }
            else if (field.IsBits)
            {
                WriteBits(elements.BitsAt(i), field, field.Number, ref writer);
            }
            else
            {
                WriteReference(elements.ReferenceAt(i), field, field.Number, ref writer);
            }
        }

        if (isPacked)
        {
            Prefix(field.Number, end, ref writer);
        }
    }

    private static void WriteBits(ulong bits, FieldDescriptor field, int number, ref WireWriter writer)
    {
        if (!field.IsWrapper)
        {
            var type = WriteBitsValue(bits, field.Kind, ref writer);
            writer.WriteTag(number, type);
            return;
        }

        var end = writer.Length;
        if (bits != 0)
        {
            var type = WriteBitsValue(bits, field.Kind, ref writer);
            writer.WriteTag(1, type);
        }

        Prefix(number, end, ref writer);
    }

    private static WireType WriteBitsValue(ulong bits, FieldKind kind, ref WireWriter writer)
    {
        switch (kind)
        {
            case FieldKind.Double or FieldKind.Fixed64 or FieldKind.SFixed64:
                writer.WriteFixed64(bits);
                return WireType.Fixed64;
            case FieldKind.Float or FieldKind.Fixed32 or FieldKind.SFixed32:
                writer.WriteFixed32((uint)bits);
                return WireType.Fixed32;
            case FieldKind.SInt32 or FieldKind.SInt64:
                writer.WriteVarint(ZigZag((long)bits));
                return WireType.Varint;
            case FieldKind.Duration:
                WriteDuration((long)bits, ref writer);
                return WireType.LengthDelimited;
            default:
                writer.WriteVarint(bits);
                return WireType.Varint;
        }
    }

    private static ulong ZigZag(long value) => (ulong)(value << 1) ^ (ulong)(value >> 63);

    private static void WriteDuration(long nanoseconds, ref WireWriter writer)
    {
        var end = writer.Length;
        var (seconds, rest) = Math.DivRem(nanoseconds, Durations.NanosecondsPerSecond);
        if (rest != 0)
        {
            writer.WriteVarint((ulong)rest);
            writer.WriteTag(2, WireType.Varint);
        }

        if (seconds != 0)
        {
            writer.WriteVarint((ulong)seconds);
            writer.WriteTag(1, WireType.Varint);
        }

        writer.WriteVarint((uint)(writer.Length - end));
    }

    private static void WriteReference(object value, FieldDescriptor field, int number, ref WireWriter writer)
    {
        var end = writer.Length;
        switch (value)
        {
            case string or byte[] when field.IsWrapper:
                WriteWrapped(value, ref writer);
                break;
            case string text:
                writer.WriteText(text);
                break;
            case byte[] bytes:
                writer.WriteBytes(bytes);
                break;
            case Any any:
                WriteAny(any, ref writer);
                break;
            default:
                Write((Message)value, ref writer);
                break;
        }

        Prefix(number, end, ref writer);
    }

    private static void WriteWrapped(object value, ref WireWriter writer)
    {
        if (value is string { Length: > 0 } text)
        {
            WriteText(text, 1, ref writer);
        }
        else if (value is byte[] { Length: > 0 } bytes)
        {
            var end = writer.Length;
            writer.WriteBytes(bytes);
            Prefix(1, end, ref writer);
        }
    }

    private static void WriteAny(Any any, ref WireWriter writer)
    {
        if (any.ValueBytes is { Length: > 0 } bytes)
        {
            var end = writer.Length;
            writer.WriteBytes(bytes);
            Prefix(2, end, ref writer);
        }

        if (any.TypeUrl.Length > 0)
        {
            WriteText(any.TypeUrl, 1, ref writer);
        }
    }

    private static void WriteText(string text, int number, ref WireWriter writer)
    {
        var end = writer.Length;
        writer.WriteText(text);
        Prefix(number, end, ref writer);
    }

    private static void Prefix(int number, int end, ref WireWriter writer)
    {
        writer.WriteVarint((uint)(writer.Length - end));
        writer.WriteTag(number, WireType.LengthDelimited);
    }
}
