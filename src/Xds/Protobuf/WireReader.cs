using System.Buffers.Binary;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A position in the bytes of one message. Every read checks its bounds.</summary>
public ref struct WireReader(ReadOnlySpan<byte> data)
{
    private const int MaximumVarintLength = 10;

    private readonly ReadOnlySpan<byte> _data = data;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _data.Length;

    public readonly ReadOnlySpan<byte> Since(int start) => _data[start..Position];

    /// <summary>A tag: field number in the high bits, wire type in the low three.</summary>
    public uint ReadTag()
    {
        var tag = ReadVarint();
        return tag is >= 8 and <= uint.MaxValue ? (uint)tag : throw Malformed("a field number is out of range");
    }

    public ulong ReadVarint()
    {
        if (Position < _data.Length && _data[Position] < 0x80)
        {
            return _data[Position++];
        }

        ulong result = 0;
        for (var i = 0; i < MaximumVarintLength && Position < _data.Length; i++)
        {
            var b = _data[Position++];
            result |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                return result;
            }
        }

        throw Malformed("a number does not end");
    }

    public uint ReadFixed32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong ReadFixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public ReadOnlySpan<byte> ReadLengthDelimited()
    {
        var length = ReadVarint();
        return length <= int.MaxValue ? Take((int)length) : throw Truncated();
    }

    /// <summary>Passes over the value that follows a tag.</summary>
    public void Skip(uint tag, int depth)
    {
        switch ((WireType)(tag & 7))
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Take(sizeof(ulong));
                break;
            case WireType.LengthDelimited:
                ReadLengthDelimited();
                break;
            case WireType.Fixed32:
                Take(sizeof(uint));
                break;
            case WireType.StartGroup:
                SkipGroup(tag, depth);
                break;
            default:
                throw Malformed("a wire type is unknown");
        }
    }

    private void SkipGroup(uint start, int depth)
    {
        var end = start - (uint)WireType.StartGroup + (uint)WireType.EndGroup;
        if (depth >= MessageParser.MaximumDepth)
        {
            throw Malformed("groups are nested too deeply");
        }

        while (true)
        {
            var tag = ReadTag();
            if (tag == end)
            {
                return;
            }

            Skip(tag, depth + 1);
        }
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _data.Length - Position)
        {
            throw Truncated();
        }

        var taken = _data.Slice(Position, length);
        Position += length;
        return taken;
    }

    private static ProtobufException Truncated() => Malformed("the bytes end in the middle of a field");

    private static ProtobufException Malformed(string why) => new($"the protobuf bytes are malformed: {why}");
}
