using System.Numerics;
using System.Runtime.InteropServices;

namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>
/// Encodes header blocks (RFC 7541). What tends to repeat on a connection goes into the dynamic table, what is different
/// each time or secret does not. Looking up is two array reads; nothing is allocated.
/// </summary>
internal sealed class HpackEncoder
{
    private const int Places = 256;

    private static readonly Indexing[] Policy = BuildPolicy();

    private readonly DynamicTable _table;

    // The number (DynamicTable.Added when it was added) of the newest entry with that hash; checked before it is used.
    private readonly int[] _byHeader = new int[Places];
    private readonly int[] _byName = new int[Places];
    private readonly int _limit;
    private int _announce = -1;

    public HpackEncoder(int tableSize)
    {
        _limit = tableSize;
        _table = new DynamicTable(tableSize);
    }

    private enum Indexing : byte
    {
        Add,
        None,
        Never,
    }

    /// <summary>Bytes that surely hold an encoded header beside its texts: two lengths and the table update.</summary>
    public const int PerHeader = 12;

    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE: the table becomes no larger, and the next block says so.</summary>
    public void SetPeerLimit(uint size)
    {
        var next = (int)Math.Min(size, (uint)_limit);
        if (next != _table.MaxSize)
        {
            _table.Resize(next);
            _announce = next;
        }
    }

    /// <summary>Begins a block: writes a due table size update.</summary>
    public int Begin(Span<byte> destination)
    {
        if (_announce < 0)
        {
            return 0;
        }
        var written = WriteInteger(destination, 0x20, 5, _announce);
        _announce = -1;
        return written;
    }

    /// <summary>Writes one header; the destination holds both texts and <see cref="PerHeader"/> bytes more.</summary>
    public int Encode(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, Span<byte> destination)
    {
        var exact = known == KnownHeader.None ? 0 : StaticTable.Find(known, value);
        if (exact > 0)
        {
            return WriteInteger(destination, 0x80, 7, exact);
        }
        var policy = Policy[(int)known];
        if (policy != Indexing.Add || name.Length + value.Length + DynamicTable.EntryOverhead > _table.MaxSize / 2)
        {
            var mark = policy == Indexing.Never ? 0x10 : 0;
            return WriteLiteral(destination, mark, 4, NameIndex(known, name, out _), name, value);
        }
        var hash = Hash(Hash((uint)known, name), value);
        ref var place = ref _byHeader[hash & (Places - 1)];
        var position = _table.Added - place;
        if (place > 0 && position < _table.Count && _table.Known(position) == known
            && _table.Value(position).SequenceEqual(value) && _table.Name(position).SequenceEqual(name))
        {
            return WriteInteger(destination, 0x80, 7, StaticTable.Count + 1 + position);
        }
        var written = WriteLiteral(destination, 0x40, 6, NameIndex(known, name, out var nameHash), name, value);
        _table.Add(known, name, value);
        place = _table.Added;
        _byName[nameHash & (Places - 1)] = place;
        return written;
    }

    private int NameIndex(KnownHeader known, ReadOnlySpan<byte> name, out uint hash)
    {
        hash = Hash((uint)known, name);
        var index = StaticTable.NameIndex(known);
        if (index > 0 && known != KnownHeader.None)
        {
            return index;
        }
        var place = _byName[hash & (Places - 1)];
        var position = _table.Added - place;
        return place > 0 && position < _table.Count && _table.Name(position).SequenceEqual(name)
            ? StaticTable.Count + 1 + position
            : 0;
    }

    private static int WriteLiteral(
        Span<byte> destination, int mark, int prefixBits, int nameIndex, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var written = WriteInteger(destination, mark, prefixBits, nameIndex);
        if (nameIndex == 0)
        {
            written += WriteString(destination[written..], name);
        }
        return written + WriteString(destination[written..], value);
    }

    private static int WriteString(Span<byte> destination, ReadOnlySpan<byte> text)
    {
        var encoded = HuffmanCode.EncodedLength(text);
        if (encoded < text.Length)
        {
            var start = WriteInteger(destination, 0x80, 7, encoded);
            return start + HuffmanCode.Encode(text, destination[start..]);
        }
        var written = WriteInteger(destination, 0, 7, text.Length);
        text.CopyTo(destination[written..]);
        return written + text.Length;
    }

    private static int WriteInteger(Span<byte> destination, int mark, int prefixBits, int value)
    {
        var full = (1 << prefixBits) - 1;
        if (value < full)
        {
            destination[0] = (byte)(mark | value);
            return 1;
        }
        destination[0] = (byte)(mark | full);
        value -= full;
        var written = 1;
        for (; value >= 0x80; value >>= 7)
        {
            destination[written++] = (byte)(value | 0x80);
        }
        destination[written++] = (byte)value;
        return written;
    }

    private static uint Hash(uint seed, ReadOnlySpan<byte> text)
    {
        var hash = (seed * 0x9E3779B1) ^ (uint)text.Length;
        for (; text.Length >= 4; text = text[4..])
        {
            hash = BitOperations.RotateLeft((hash ^ MemoryMarshal.Read<uint>(text)) * 0x85EBCA77, 13);
        }
        foreach (var c in text)
        {
            hash = (hash ^ c) * 0x01000193;
        }
        return hash ^ (hash >> 15);
    }

    private static Indexing[] BuildPolicy()
    {
        var policy = new Indexing[KnownHeaders.Count];
        ReadOnlySpan<KnownHeader> changing =
        [
            KnownHeader.Path, KnownHeader.ContentLength, KnownHeader.Date, KnownHeader.ETag, KnownHeader.Location,
            KnownHeader.XRequestId, KnownHeader.XB3TraceId, KnownHeader.XB3SpanId, KnownHeader.TraceParent,
            KnownHeader.EnvoyUpstreamServiceTime, KnownHeader.EnvoyOriginalPath, KnownHeader.EnvoyOriginalUrl,
            KnownHeader.XClientTraceId, KnownHeader.GrpcTimeout, KnownHeader.GrpcMessage,
        ];
        foreach (var header in changing)
        {
            policy[(int)header] = Indexing.None;
        }
        policy[(int)KnownHeader.Authorization] = Indexing.Never;
        policy[(int)KnownHeader.Cookie] = Indexing.Never;
        policy[(int)KnownHeader.SetCookie] = Indexing.Never;
        return policy;
    }
}
