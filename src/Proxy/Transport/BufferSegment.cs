namespace MeshProxy.Proxy.Transport;

/// <summary>
/// One pooled run of memory of a <see cref="ByteBuffer"/>. Arrays are pinned, so that system calls and OpenSSL take their
/// address without pinning per call. Each thread keeps its own free list: the hot path takes no lock.
/// </summary>
internal sealed class BufferSegment
{
    /// <summary>16 KiB: one TLS record (RFC 8446 5.1) and Envoy's read reservation.</summary>
    public const int Size = 16 * 1024;

    /// <summary>
    /// 2 KiB holds a typical head with a short body. What waits to be written in a loop turn is mostly that: with 64
    /// connections busy at once, 16 KiB each kept 10 MiB pinned, 2 KiB keep 1.
    /// </summary>
    public const int SmallSize = 2 * 1024;

    /// <summary>
    /// Below this a copy is cheaper than carrying a mostly empty segment along: a head and its short body leave as one piece,
    /// and the 16 KiB they were read into are free for the next connection of the turn.
    /// </summary>
    public const int CopyBelow = SmallSize;

    /// <summary>Free segments a thread keeps, 512 KiB of each size; more go to the garbage collector.</summary>
    private const int MaxFree = 32;

    private const int MaxFreeSmall = 256;

    [ThreadStatic]
    private static FreeList t_free;

    [ThreadStatic]
    private static FreeList t_freeSmall;

    private readonly byte[] _array;

    private BufferSegment(int size) => _array = GC.AllocateUninitializedArray<byte>(size, pinned: true);

    public int Start { get; set; }

    public int End { get; set; }

    public BufferSegment? Next { get; set; }

    public ReadOnlySpan<byte> Readable => _array.AsSpan(Start, End - Start);

    public ReadOnlyMemory<byte> ReadableMemory => _array.AsMemory(Start, End - Start);

    public Span<byte> Writable => _array.AsSpan(End);

    public static BufferSegment Rent(int minimum) => minimum switch
    {
        <= SmallSize => t_freeSmall.Take() ?? new BufferSegment(SmallSize),
        <= Size => t_free.Take() ?? new BufferSegment(Size),
        _ => new BufferSegment(minimum),
    };

    public void Return()
    {
        switch (_array.Length)
        {
            case SmallSize:
                t_freeSmall.Give(this, MaxFreeSmall);
                break;
            case Size:
                t_free.Give(this, MaxFree);
                break;
        }
    }

    /// <summary>Drops the calling thread's free segments; an idle loop holds no memory.</summary>
    public static void TrimFree()
    {
        t_free = default;
        t_freeSmall = default;
    }

    private struct FreeList
    {
        private BufferSegment? _first;
        private int _count;

        public BufferSegment? Take()
        {
            var segment = _first;
            if (segment is not null)
            {
                _first = segment.Next;
                _count--;
                segment.Next = null;
            }
            return segment;
        }

        public void Give(BufferSegment segment, int most)
        {
            if (_count >= most)
            {
                return;
            }
            segment.Start = segment.End = 0;
            segment.Next = _first;
            _first = segment;
            _count++;
        }
    }
}
