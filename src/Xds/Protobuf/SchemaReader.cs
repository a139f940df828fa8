using System.Buffers.Binary;
using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>A position in the embedded table.</summary>
internal unsafe struct SchemaReader(byte* data, int position)
{
    private readonly byte* _data = data;

    public int Position { get; set; } = position;

    public byte ReadByte() => _data[Position++];

    public uint ReadVarint()
    {
        uint result = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = ReadByte();
            result |= (uint)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return result;
            }
        }
    }

    /// <summary>A string of the pool; equal strings are one object.</summary>
    public string ReadString() => SchemaRegistry.StringAt((int)ReadVarint());

    public int ReadFixed32()
    {
        var value = BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(_data + Position, sizeof(int)));
        Position += sizeof(int);
        return value;
    }

    public string ReadText(int length) => Encoding.UTF8.GetString(_data + Position, length);

    public ReadOnlySpan<byte> Span(int length) => new(_data + Position, length);
}
