using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// Reads wire bytes in two passes over each level: the first sees which fields are present, so that the second stores
/// them in arrays of exactly the right size.
/// </summary>
internal static class MessageParser
{
    /// <summary>Protobuf's default nesting limit.</summary>
    public const int MaximumDepth = 100;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static Message Parse(MessageType type, ReadOnlySpan<byte> data, int depth)
    {
        if (depth > MaximumDepth)
        {
            throw new ProtobufException($"{type.FullName} is nested more than {MaximumDepth} levels deep");
        }

        var message = new Message(type);
        if (data.IsEmpty)
        {
            return message;
        }

        var presence = Scan(type, data, depth, out var unknownLength);
        message.Reserve(presence);
        Fill(message, data, presence, unknownLength, depth);
        return message;
    }

    public static WireType WireTypeOf(FieldDescriptor field) =>
        field.IsWrapper || field.IsMap ? WireType.LengthDelimited : field.Kind switch
        {
            FieldKind.Double or FieldKind.Fixed64 or FieldKind.SFixed64 => WireType.Fixed64,
            FieldKind.Float or FieldKind.Fixed32 or FieldKind.SFixed32 => WireType.Fixed32,
            FieldKind.String or FieldKind.Bytes or FieldKind.Message or FieldKind.Any or FieldKind.Duration =>
                WireType.LengthDelimited,
            _ => WireType.Varint,
        };

    private static ulong Scan(MessageType type, ReadOnlySpan<byte> data, int depth, out int unknownLength)
    {
        var presence = 0UL;
        unknownLength = 0;
        var reader = new WireReader(data);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            var tag = reader.ReadTag();
            var field = type.FindByNumber(tag >> 3);
            if (field == null || !Accepts(field, tag))
            {
                reader.Skip(tag, depth);
                unknownLength += reader.Position - start;
                continue;
            }

            var isSet = field.HasPresence || field.IsMap || field.IsRepeated;
            if (isSet)
            {
                reader.Skip(tag, depth);
            }
            else
            {
                isSet = IsNotDefault(field, ref reader);
            }

            if (field.OneofIndex >= 0)
            {
                presence &= ~type.Oneofs[field.OneofIndex].Mask;
            }

            presence = isSet ? presence | field.Bit : presence & ~field.Bit;
        }

        return presence;
    }

    private static bool Accepts(FieldDescriptor field, uint tag)
    {
        var wireType = (WireType)(tag & 7);
        return wireType == WireTypeOf(field)
            || (wireType == WireType.LengthDelimited && field.IsRepeated && field.IsBits && field.Kind != FieldKind.Duration);
    }

    private static bool IsNotDefault(FieldDescriptor field, ref WireReader reader) =>
        field.IsBits ? ReadBits(field.Kind, ref reader) != 0 : !reader.ReadLengthDelimited().IsEmpty;

    private static void Fill(Message message, ReadOnlySpan<byte> data, ulong presence, int unknownLength, int depth)
    {
        var unknown = unknownLength == 0 ? null : new byte[unknownLength];
        var unknownPosition = 0;
        var reader = new WireReader(data);
        while (!reader.AtEnd)
        {
            var start = reader.Position;
            var tag = reader.ReadTag();
            var field = message.Type.FindByNumber(tag >> 3);
            if (field == null || !Accepts(field, tag))
            {
                reader.Skip(tag, depth);
                reader.Since(start).CopyTo(unknown.AsSpan(unknownPosition));
                unknownPosition += reader.Position - start;
            }
            else if ((presence & field.Bit) == 0)
            {
                reader.Skip(tag, depth);
            }
            else
            {
                Store(message, field, tag, ref reader, depth);
            }
        }

        message.UnknownBytes = unknown;
    }

    private static void Store(Message message, FieldDescriptor field, uint tag, ref WireReader reader, int depth)
    {
        if (field.IsMap)
        {
            StoreEntry(message, field, reader.ReadLengthDelimited(), depth);
        }
        else if (field.IsRepeated)
        {
            StoreElement(message, field, tag, ref reader, depth);
        }
        else if (field.IsBits)
        {
            message.SetBits(field.Index, ReadSingleBits(field, ref reader));
        }
        else
        {
            var value = ReadReference(field, reader.ReadLengthDelimited(), depth);
            if (value is Message later && message.GetMessage(field.Index) is { } earlier)
            {
                // A message field that comes twice is the merge of both.
                earlier.MergeFrom(later);
                return;
            }

            message.SetReference(field.Index, value);
        }
    }

    private static void StoreElement(Message message, FieldDescriptor field, uint tag, ref WireReader reader, int depth)
    {
        var elements = message.MutableRepeated(field.Index);
        if (!field.IsBits)
        {
            if (elements.Count == 0)
            {
                elements.EnsureCapacity(CountRun(reader, tag, depth));
            }

            elements.Add(ReadReference(field, reader.ReadLengthDelimited(), depth));
        }
        else if ((WireType)(tag & 7) == WireTypeOf(field))
        {
            elements.Add(ReadSingleBits(field, ref reader));
        }
        else
        {
            var packed = new WireReader(reader.ReadLengthDelimited());
            while (!packed.AtEnd)
            {
                elements.Add(ReadBits(field.Kind, ref packed));
            }
        }
    }

    /// <summary>How many elements of a repeated field follow each other, the reader standing behind the first tag.</summary>
    private static int CountRun(WireReader reader, uint tag, int depth)
    {
        var count = 1;
        reader.Skip(tag, depth);
        while (!reader.AtEnd && reader.ReadTag() == tag)
        {
            reader.Skip(tag, depth);
            count++;
        }

        return count;
    }

    private static void StoreEntry(Message message, FieldDescriptor field, ReadOnlySpan<byte> entry, int depth)
    {
        object? keyReference = field.KeyKind == FieldKind.String ? "" : null;
        var keyBits = 0UL;
        ReadOnlySpan<byte> value = default;
        var valueBits = 0UL;
        var reader = new WireReader(entry);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag >> 3)
            {
                case 1 when field.KeyKind == FieldKind.String && (tag & 7) == (int)WireType.LengthDelimited:
                    keyReference = ReadText(field, reader.ReadLengthDelimited());
                    break;
                case 1 when field.KeyKind != FieldKind.String:
                    keyBits = ReadBits(field.KeyKind, ref reader);
                    break;
                case 2 when field.IsBits:
                    valueBits = ReadSingleBits(field, ref reader);
                    break;
                case 2 when (tag & 7) == (int)WireType.LengthDelimited:
                    value = reader.ReadLengthDelimited();
                    break;
                default:
                    reader.Skip(tag, depth);
                    break;
            }
        }

        var map = message.MutableMap(field.Index);
        var position = keyReference is string text ? map.IndexOf(text) : map.IndexOf(keyBits);
        if (position < 0)
        {
            position = map.Count;
            if (keyReference is string newKey)
            {
                map.AddKey(newKey);
            }
            else
            {
                map.Keys.Add(keyBits);
            }
        }

        SetEntryValue(map.Values, position, field, value, valueBits, depth);
    }

    private static void SetEntryValue(
        RepeatedField values, int position, FieldDescriptor field, ReadOnlySpan<byte> value, ulong valueBits, int depth)
    {
        var isNew = position == values.Count;
        if (field.IsBits)
        {
            if (isNew)
            {
                values.Add(valueBits);
            }
            else
            {
                values.Replace(position, valueBits);
            }

            return;
        }

        var reference = ReadReference(field, value, depth);
        if (isNew)
        {
            values.Add(reference);
        }
        else
        {
            values.Replace(position, reference);
        }
    }

    private static object ReadReference(FieldDescriptor field, ReadOnlySpan<byte> bytes, int depth) => field switch
    {
        { IsWrapper: true } => ReadWrappedReference(field, bytes, depth),
        { Kind: FieldKind.String } => ReadText(field, bytes),
        { Kind: FieldKind.Bytes } => bytes.ToArray(),
        { Kind: FieldKind.Any } => ReadAny(field, bytes, depth),
        _ => Parse(field.MessageType!, bytes, depth + 1),
    };

    /// <summary>StringValue or BytesValue: field 1 of a message.</summary>
    private static object ReadWrappedReference(FieldDescriptor field, ReadOnlySpan<byte> bytes, int depth)
    {
        ReadOnlySpan<byte> value = default;
        var reader = new WireReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag == ((1 << 3) | (int)WireType.LengthDelimited))
            {
                value = reader.ReadLengthDelimited();
            }
            else
            {
                reader.Skip(tag, depth);
            }
        }

        return field.Kind == FieldKind.String ? ReadText(field, value) : value.ToArray();
    }

    private static Any ReadAny(FieldDescriptor field, ReadOnlySpan<byte> bytes, int depth)
    {
        ReadOnlySpan<byte> url = default;
        ReadOnlySpan<byte> value = default;
        var reader = new WireReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (1 << 3) | (int)WireType.LengthDelimited:
                    url = reader.ReadLengthDelimited();
                    break;
                case (2 << 3) | (int)WireType.LengthDelimited:
                    value = reader.ReadLengthDelimited();
                    break;
                default:
                    reader.Skip(tag, depth);
                    break;
            }
        }

        return new Any(TypeUrls.Intern(url) ?? ReadText(field, url), value.ToArray());
    }

    private static string ReadText(FieldDescriptor field, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return bytes.IsEmpty ? "" : TextCache.GetString(bytes, StrictUtf8);
        }
        catch (DecoderFallbackException)
        {
            throw new ProtobufException($"{field} is not valid UTF-8");
        }
    }

    private static ulong ReadSingleBits(FieldDescriptor field, ref WireReader reader)
    {
        if (!field.IsWrapper)
        {
            return ReadBits(field.Kind, ref reader);
        }

        var bits = 0UL;
        var wrapped = new WireReader(reader.ReadLengthDelimited());
        while (!wrapped.AtEnd)
        {
            var tag = wrapped.ReadTag();
            if (tag >> 3 == 1)
            {
                bits = ReadBits(field.Kind, ref wrapped);
            }
            else
            {
                wrapped.Skip(tag, 0);
            }
        }

        return bits;
    }

    private static ulong ReadBits(FieldKind kind, ref WireReader reader) => kind switch
    {
        FieldKind.Double or FieldKind.Fixed64 or FieldKind.SFixed64 => reader.ReadFixed64(),
        FieldKind.Float or FieldKind.Fixed32 => reader.ReadFixed32(),
        FieldKind.SFixed32 => (ulong)(int)reader.ReadFixed32(),
        FieldKind.Int32 or FieldKind.Enum => (ulong)(int)reader.ReadVarint(),
        FieldKind.UInt32 => (uint)reader.ReadVarint(),
        FieldKind.Bool => reader.ReadVarint() == 0 ? 0UL : 1UL,
        FieldKind.SInt32 => (ulong)(int)UnZigZag((uint)reader.ReadVarint()),
        FieldKind.SInt64 => (ulong)UnZigZag(reader.ReadVarint()),
        FieldKind.Duration => (ulong)ReadDuration(reader.ReadLengthDelimited()),
        _ => reader.ReadVarint(),
    };

    private static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    private static long ReadDuration(ReadOnlySpan<byte> bytes)
    {
        long seconds = 0;
        var nanoseconds = 0;
        var reader = new WireReader(bytes);
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3:
                    seconds = (long)reader.ReadVarint();
                    break;
                case 2 << 3:
                    nanoseconds = (int)reader.ReadVarint();
                    break;
                default:
                    reader.Skip(tag, 0);
                    break;
            }
        }

        return Durations.FromParts(seconds, nanoseconds);
    }
}
