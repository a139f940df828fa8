using System.Diagnostics;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// A queue of bytes made of pooled segments: data is appended at the tail, drained at the head, and moved between
/// buffers without copying. Owned by one event loop at a time; not thread-safe.
/// </summary>
public sealed class ByteBuffer
{
    private BufferSegment? _head;
    private BufferSegment? _tail;

    /// <summary>Bytes held.</summary>
    public long Length { get; private set; }

    public bool IsEmpty => Length == 0;

    /// <summary>The first contiguous run of bytes; empty only if the buffer is.</summary>
    public ReadOnlySpan<byte> FirstSpan => _head is null ? default : _head.Readable;

    /// <summary>Whether everything held lies in one contiguous run.</summary>
    public bool IsContiguous => _head is null || _head.Next is null;

    public void Append(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var space = Reserve(_tail is { Writable.Length: > 0 } ? 1 : Math.Min(data.Length, BufferSegment.Size));
            var count = Math.Min(space.Length, data.Length);
            data[..count].CopyTo(space);
            Commit(count);
            data = data[count..];
        }
    }

    /// <summary>Writable space of at least <paramref name="minimum"/> bytes at the tail; make it readable with <see cref="Commit"/>.</summary>
    public Span<byte> Reserve(int minimum)
    {
        if (_tail is null || _tail.Writable.Length < minimum)
        {
            AppendSegment(BufferSegment.Rent(minimum));
        }
        return _tail!.Writable;
    }

    /// <summary>Writable space for a read from a socket: what is left in the tail when that is worth a call, else a whole segment.</summary>
    public Span<byte> ReserveForRead() =>
        Reserve(_tail is { Writable.Length: >= BufferSegment.SmallSize } ? 1 : BufferSegment.Size);

    public void Commit(int count)
    {
        Debug.Assert(_tail is not null && count <= _tail.Writable.Length);
        _tail.End += count;
        Length += count;
    }

    /// <summary>Gives back a reservation of which nothing was committed, so that an idle owner holds no memory.</summary>
    public void ReleaseUnused()
    {
        if (Length == 0)
        {
            Clear();
        }
    }

    /// <summary>Removes <paramref name="count"/> bytes from the head.</summary>
    public void Drain(long count)
    {
        Debug.Assert(count <= Length);
        Length -= count;
        while (count > 0)
        {
            var segment = _head!;
            var take = (int)Math.Min(count, segment.End - segment.Start);
            segment.Start += take;
            count -= take;
            if (segment.Start == segment.End)
            {
                RemoveHead();
            }
        }
        while (_head is not null && _head.Start == _head.End)
        {
            RemoveHead();
        }
    }

    /// <summary>Moves everything of <paramref name="source"/> to the tail of this buffer.</summary>
    public void MoveFrom(ByteBuffer source) => MoveFrom(source, source.Length);

    /// <summary>Moves the first <paramref name="count"/> bytes of <paramref name="source"/> to the tail of this buffer; whole segments change hands, parts are copied.</summary>
    public void MoveFrom(ByteBuffer source, long count)
    {
        Debug.Assert(count <= source.Length && !ReferenceEquals(this, source));
        while (count > 0)
        {
            var segment = source._head!;
            var available = segment.End - segment.Start;
            if (available == 0)
            {
                source.RemoveHead();
                continue;
            }
            if (available > count || (available < BufferSegment.CopyBelow && _tail is not null && _tail.Writable.Length >= available))
            {
                var take = (int)Math.Min(available, count);
                Append(segment.Readable[..take]);
                source.Drain(take);
                count -= take;
                continue;
            }
            source._head = segment.Next;
            if (source._head is null)
            {
                source._tail = null;
            }
            segment.Next = null;
            source.Length -= available;
            count -= available;
            TrimEmptyTail();
            AppendSegment(segment);
            Length += available;
        }
    }

    /// <summary>Puts <paramref name="data"/> before what is held.</summary>
    public void Prepend(ReadOnlySpan<byte> data)
    {
        var rest = new ByteBuffer();
        rest.MoveFrom(this);
        Append(data);
        MoveFrom(rest);
    }

    /// <summary>The first <paramref name="count"/> bytes as one run, copying them together if they are not.</summary>
    public ReadOnlySpan<byte> Linearize(int count)
    {
        Debug.Assert(count <= Length);
        if (count == 0)
        {
            return default;
        }
        if (_head!.End - _head.Start >= count)
        {
            return _head.Readable[..count];
        }
        var joined = BufferSegment.Rent(count);
        CopyTo(joined.Writable[..count]);
        joined.End += count;
        Drain(count);
        joined.Next = _head;
        _head = joined;
        _tail ??= joined;
        Length += count;
        return joined.Readable;
    }

    /// <summary>Copies the first <c>destination.Length</c> bytes without removing them.</summary>
    public void CopyTo(Span<byte> destination)
    {
        for (var segment = _head; segment is not null && !destination.IsEmpty; segment = segment.Next)
        {
            var readable = segment.Readable;
            var count = Math.Min(readable.Length, destination.Length);
            readable[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    public byte[] ToArray()
    {
        var all = new byte[Length];
        CopyTo(all);
        return all;
    }

    /// <summary>Drops everything and gives the segments back.</summary>
    public void Clear()
    {
        while (_head is not null)
        {
            RemoveHead();
        }
        Length = 0;
    }

    public Enumerator GetEnumerator() => new(_head);

    /// <summary>The segments in order; for scatter writes and scans. The buffer must not change meanwhile.</summary>
    public struct Enumerator
    {
        private BufferSegment? _next;

        internal Enumerator(BufferSegment? head)
        {
            _next = head;
            Current = default!;
        }

        public ReadOnlyMemory<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_next is null)
            {
                return false;
            }
            Current = _next.ReadableMemory;
            _next = _next.Next;
            return true;
        }
    }

    private void AppendSegment(BufferSegment segment)
    {
        if (_tail is null)
        {
            _head = _tail = segment;
        }
        else
        {
            _tail.Next = segment;
            _tail = segment;
        }
    }

    private void RemoveHead()
    {
        var segment = _head!;
        _head = segment.Next;
        if (_head is null)
        {
            _tail = null;
        }
        segment.Return();
    }

    private void TrimEmptyTail()
    {
        if (Length == 0)
        {
            Clear();
        }
    }
}
