namespace MeshProxy.Proxy.Transport;

/// <summary>
/// One pooled run of memory of a <see cref="ByteBuffer"/>. Arrays are pinned, so that system calls and OpenSSL take their
/// address without pinning per call. Each thread keeps its own free list: the hot path takes no lock.
/// </summary>
internal sealed class BufferSegment
{
    /// <summary>16 KiB: one TLS record (RFC 8446 5.1) and Envoy's read reservation.</summary>
    public const int Size = 16 * 1024;

    /// <summary>Below this a copy is cheaper than carrying a mostly empty segment along.</summary>
    public const int CopyBelow = 512;

    /// <summary>Free segments a thread keeps (1 MiB); more go to the garbage collector.</summary>
    private const int MaxFree = 64;

    [ThreadStatic]
    private static BufferSegment? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private readonly byte[] _array;

    private BufferSegment(int size) => _array = GC.AllocateUninitializedArray<byte>(size, pinned: true);

    public int Start { get; set; }

    public int End { get; set; }

    public BufferSegment? Next { get; set; }

    public ReadOnlySpan<byte> Readable => _array.AsSpan(Start, End - Start);

    public ReadOnlyMemory<byte> ReadableMemory => _array.AsMemory(Start, End - Start);

    public Span<byte> Writable => _array.AsSpan(End);

    public static BufferSegment Rent(int minimum)
    {
        if (minimum > Size)
        {
            return new BufferSegment(minimum);
        }
        var segment = t_free;
        if (segment is null)
        {
            return new BufferSegment(Size);
        }
        t_free = segment.Next;
        t_freeCount--;
        segment.Next = null;
        return segment;
    }

    public void Return()
    {
        if (_array.Length != Size || t_freeCount >= MaxFree)
        {
            return;
        }
        Start = End = 0;
        Next = t_free;
        t_free = this;
        t_freeCount++;
    }

    /// <summary>Drops the calling thread's free segments but for <paramref name="keep"/>; an idle loop holds no memory.</summary>
    public static void TrimFree(int keep)
    {
        while (t_freeCount > keep)
        {
            var segment = t_free!;
            t_free = segment.Next;
            segment.Next = null;
            t_freeCount--;
        }
    }
}
