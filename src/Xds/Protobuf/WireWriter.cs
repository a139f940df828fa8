using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// Writes from the end of a buffer to its front, so that the length of a nested message is known when its prefix is
/// due and nothing is measured twice.
/// </summary>
public ref struct WireWriter
{
    private const int FirstCapacity = 512;
    private const int MaximumVarintLength = 10;

    private byte[] _buffer;
    private int _start;

    public WireWriter()
    {
        _buffer = ArrayPool<byte>.Shared.Rent(FirstCapacity);
        _start = _buffer.Length;
    }

    /// <summary>Bytes written so far.</summary>
    public readonly int Length => _buffer.Length - _start;

    public readonly byte[] ToArray() => _buffer.AsSpan(_start).ToArray();

    public readonly void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    public void WriteVarint(ulong value)
    {
        Span<byte> encoded = stackalloc byte[MaximumVarintLength];
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            encoded[length++] = (byte)(value | 0x80);
        }

        encoded[length++] = (byte)value;
        WriteBytes(encoded[..length]);
    }

    public void WriteTag(int number, WireType type) => WriteVarint(((uint)number << 3) | (uint)type);

    public void WriteFixed32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Claim(sizeof(uint)), value);

    public void WriteFixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Claim(sizeof(ulong)), value);

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Claim(bytes.Length));

    public void WriteText(string text) => Encoding.UTF8.GetBytes(text, Claim(Encoding.UTF8.GetByteCount(text)));

    private Span<byte> Claim(int length)
    {
        if (length > _start)
        {
            Grow(length);
        }

        _start -= length;
        return _buffer.AsSpan(_start, length);
    }

    private void Grow(int length)
    {
        var written = Length;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, checked(written + length)));
        _buffer.AsSpan(_start).CopyTo(larger.AsSpan(larger.Length - written));
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        _start = larger.Length - written;
    }
}
