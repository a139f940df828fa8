using System.Buffers;
using System.Buffers.Text;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>A growing run of bytes that can be cut back: where a formatter tries a part that may turn out empty.</summary>
internal sealed class ByteWriter : IBufferWriter<byte>
{
    // Few formats nest deeper; more are made and left to the collector.
    private const int MaxKept = 8;

    // A line beyond this is rare; its buffer is not kept.
    private const int MaxKeptBytes = 64 * 1024;

    [ThreadStatic]
    private static Stack<ByteWriter>? t_free;

    private byte[] _bytes = new byte[512];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>An empty writer of this thread; give it back by <see cref="Return"/>.</summary>
    public static ByteWriter Rent() => t_free is { Count: > 0 } free ? free.Pop() : new ByteWriter();

    public static void Return(ByteWriter writer)
    {
        var free = t_free ??= new Stack<ByteWriter>();
        if (free.Count < MaxKept && writer._bytes.Length <= MaxKeptBytes)
        {
            writer.Length = 0;
            free.Push(writer);
        }
    }

    public void CutTo(int length) => Length = length;

    public void Write(byte value)
    {
        Reserve(1);
        _bytes[Length++] = value;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    public void Write(string text)
    {
        Reserve(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += System.Text.Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
    }

    public void Write(long number)
    {
        Reserve(20);
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    public void Write(ulong number)
    {
        Reserve(20);
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(Length), out var written);
        Length += written;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }
    }
}
