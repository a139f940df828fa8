using System.Numerics;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Bytes, merging and copying.</summary>
public sealed partial class Message
{
    /// <summary>Reads a message from its wire bytes.</summary>
    /// <exception cref="ProtobufException">The bytes are malformed.</exception>
    public static Message Parse(MessageType type, ReadOnlySpan<byte> data) => MessageParser.Parse(type, data, 0);

    /// <inheritdoc cref="Parse(MessageType, ReadOnlySpan{byte})"/>
    public static T Parse<T>(ReadOnlySpan<byte> data)
        where T : struct, IMessage<T> => T.From(Parse(T.Descriptor, data));

    /// <summary>The wire bytes, fields in order of number, map entries in the order they were set.</summary>
    public byte[] ToBytes()
    {
        var writer = new WireWriter();
        try
        {
            MessageWriter.Write(this, ref writer);
            return writer.ToArray();
        }
        finally
        {
            writer.Dispose();
        }
    }

    /// <summary>
    /// Merges as protobuf does: numbers and text are replaced, lists appended, map entries replaced, messages merged.
    /// Parts of the other message become parts of this one.
    /// </summary>
    public void MergeFrom(Message other)
    {
        for (var rest = other._presence; rest != 0; rest &= rest - 1)
        {
            var field = Type.Fields[BitOperations.TrailingZeroCount(rest)];
            if (field.IsMap)
            {
                MergeMap(MutableMap(field.Index), (MapField)other.Reference(field.Index)!);
            }
            else if (field.IsRepeated)
            {
                MutableRepeated(field.Index).AddAll((RepeatedField)other.Reference(field.Index)!);
            }
            else if (field.IsBits)
            {
                SetBits(field.Index, other.Bits(field.Index));
            }
            else if (Reference(field.Index) is Message existing)
            {
                existing.MergeFrom(other.GetMessage(field.Index)!);
            }
            else
            {
                SetReference(field.Index, other.Reference(field.Index)!);
            }
        }

        if (other.UnknownBytes is { } unknown)
        {
            UnknownBytes = UnknownBytes == null ? unknown : [.. UnknownBytes, .. unknown];
        }
    }

    /// <summary>A copy that shares nothing with this message.</summary>
    public Message Clone() => Parse(Type, ToBytes());

    private static void MergeMap(MapField target, MapField source)
    {
        for (var i = 0; i < source.Count; i++)
        {
            if (!source.Keys.IsBits && !source.Values.IsBits)
            {
                target.Set((string)source.Keys.ReferenceAt(i), source.Values.ReferenceAt(i));
                continue;
            }

            MergeEntry(target, source, i);
        }
    }

    private static void MergeEntry(MapField target, MapField source, int i)
    {
        var position = source.Keys.IsBits
            ? target.IndexOf(source.Keys.BitsAt(i))
            : target.IndexOf((string)source.Keys.ReferenceAt(i));
        if (position >= 0)
        {
            target.Keys.RemoveAt(position);
            target.Values.RemoveAt(position);
        }

        if (source.Keys.IsBits)
        {
            target.Keys.Add(source.Keys.BitsAt(i));
        }
        else
        {
            target.AddKey((string)source.Keys.ReferenceAt(i));
        }

        if (source.Values.IsBits)
        {
            target.Values.Add(source.Values.BitsAt(i));
        }
        else
        {
            target.Values.Add(source.Values.ReferenceAt(i));
        }
    }
}
