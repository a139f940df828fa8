using System.Buffers;
using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Http;

/// <summary>
/// An ordered list of headers (or trailers) whose names and values are slices of one byte store. Pseudo headers are entries
/// too, as in Envoy. Headers of <see cref="KnownHeader"/> are found in O(1). Names are kept in lower case; how they were
/// spelled on the wire is <see cref="Formatter"/>'s matter. Not thread-safe. Take one with <see cref="Rent"/> and give it
/// back with <see cref="Return"/> where that is easy; a map never returned is only garbage.
/// </summary>
public sealed class HeaderMap
{
    private const int InitialEntries = 24;
    private const int InitialStore = 1024;

    /// <summary>A larger store goes back to the array pool with its message, so that one big head does not pin memory.</summary>
    private const int LargestKeptStore = 16 * 1024;

    /// <summary>Maps a thread keeps for reuse.</summary>
    private const int MaxFree = 256;

    [ThreadStatic]
    private static HeaderMap? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private HeaderMap? _nextFree;
    private bool _isFree;

    private Entry[] _entries = new Entry[InitialEntries];
    private byte[] _store;
    private int _used;
    private int _count;

    // Index + 1 of the first entry of each known header; 0 when there is none.
    private readonly byte[] _slots = new byte[KnownHeaders.Count];

    public HeaderMap() => _store = ArrayPool<byte>.Shared.Rent(InitialStore);

    /// <summary>Entries, removed ones not counted.</summary>
    public int Count { get; private set; }

    /// <summary>Sum of the lengths of names and values, as limits count them.</summary>
    public long ByteSize { get; private set; }

    /// <summary>Spells names when HTTP/1 writes them, as learned from the message's own wire form; null for the codec's own way.</summary>
    internal HeaderKeyFormatter? Formatter { get; set; }

    /// <summary>An empty map of the calling thread's store of maps.</summary>
    public static HeaderMap Rent()
    {
        var map = t_free;
        if (map is null)
        {
            return new HeaderMap();
        }
        t_free = map._nextFree;
        t_freeCount--;
        map._nextFree = null;
        map._isFree = false;
        return map;
    }

    /// <summary>Gives the map back to be rented again; the caller and all it lent the map to must forget it.</summary>
    public void Return()
    {
        if (_isFree || t_freeCount >= MaxFree)
        {
            return;
        }
        Clear();
        if (_store.Length > LargestKeptStore)
        {
            ArrayPool<byte>.Shared.Return(_store);
            _store = ArrayPool<byte>.Shared.Rent(InitialStore);
        }
        _isFree = true;
        _nextFree = t_free;
        t_free = this;
        t_freeCount++;
    }

    /// <summary>Forgets all entries but keeps the memory for the next message.</summary>
    public void Clear()
    {
        Formatter = null;
        _count = _used = 0;
        Count = 0;
        ByteSize = 0;
        Array.Clear(_slots);
    }

    /// <summary>Gives the byte store back to the pool; the map may be used again afterwards.</summary>
    public void Release()
    {
        Clear();
        ArrayPool<byte>.Shared.Return(_store);
        _store = ArrayPool<byte>.Shared.Rent(InitialStore);
    }

    public bool Contains(KnownHeader header) => Find(header) >= 0;

    /// <summary>The first value of the header; empty when absent (see <see cref="Contains"/>).</summary>
    public ReadOnlySpan<byte> Get(KnownHeader header)
    {
        var index = Find(header);
        return index < 0 ? default : Value(index);
    }

    public bool TryGet(KnownHeader header, out ReadOnlySpan<byte> value)
    {
        var index = Find(header);
        value = index < 0 ? default : Value(index);
        return index >= 0;
    }

    /// <summary>The first value of the named header (any case).</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var index = IndexOf(name, 0);
        value = index < 0 ? default : Value(index);
        return index >= 0;
    }

    public string? GetString(KnownHeader header)
    {
        var index = Find(header);
        return index < 0 ? null : Encoding.Latin1.GetString(Value(index));
    }

    public string? GetString(ReadOnlySpan<byte> name) =>
        TryGet(name, out var value) ? Encoding.Latin1.GetString(value) : null;

    /// <summary>All values of a header joined with "," in order, as Envoy's getAllOfHeaderAsString; null when absent.</summary>
    public string? GetJoined(ReadOnlySpan<byte> name, string separator = ",")
    {
        var index = IndexOf(name, 0);
        if (index < 0)
        {
            return null;
        }
        var first = Encoding.Latin1.GetString(Value(index));
        var next = IndexOf(name, index + 1);
        if (next < 0)
        {
            return first;
        }
        var joined = new StringBuilder(first);
        for (; next >= 0; next = IndexOf(name, next + 1))
        {
            joined.Append(separator).Append(Encoding.Latin1.GetString(Value(next)));
        }
        return joined.ToString();
    }

    /// <summary>Position of the next entry with that name at or after <paramref name="from"/>; -1 if none. Use with <see cref="Name"/> and <see cref="Value"/>.</summary>
    public int IndexOf(ReadOnlySpan<byte> name, int from)
    {
        var known = KnownHeaders.Find(name);
        if (known != KnownHeader.None)
        {
            return IndexOf(known, from);
        }
        for (var i = from; i < _count; i++)
        {
            ref readonly var entry = ref _entries[i];
            if (entry.Live && entry.Known == KnownHeader.None && entry.NameLength == name.Length
                && Ascii.EqualsIgnoreCase(_store.AsSpan(entry.NameStart, entry.NameLength), name))
            {
                return i;
            }
        }
        return -1;
    }

    public int IndexOf(KnownHeader header, int from)
    {
        var first = Find(header);
        if (first < 0 || first >= from)
        {
            return first;
        }
        for (var i = from; i < _count; i++)
        {
            if (_entries[i].Live && _entries[i].Known == header)
            {
                return i;
            }
        }
        return -1;
    }

    /// <summary>First entry at or after <paramref name="from"/> in message order; -1 at the end. `for (i = Next(0); i >= 0; i = Next(i + 1))`.</summary>
    public int Next(int from)
    {
        for (var i = from; i < _count; i++)
        {
            if (_entries[i].Live)
            {
                return i;
            }
        }
        return -1;
    }

    /// <summary>The name in lower case; `:authority` for an HTTP/1 host line.</summary>
    public ReadOnlySpan<byte> Name(int index) =>
        _entries[index].NameLength == 0
            ? KnownHeaders.Name(_entries[index].Known)
            : _store.AsSpan(_entries[index].NameStart, _entries[index].NameLength);

    public ReadOnlySpan<byte> Value(int index) => _store.AsSpan(_entries[index].ValueStart, _entries[index].ValueLength);

    public KnownHeader Known(int index) => _entries[index].Known;

    /// <summary>Appends an entry; an equal name may be there already.</summary>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => Append(KnownHeaders.Find(name), name, value);

    public void Add(KnownHeader header, ReadOnlySpan<byte> value) => Append(header, default, value);

    public void Add(string name, string value) => Add(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));

    /// <summary>
    /// Appends a received header. A repeated line of a header that has only one value (see
    /// <see cref="KnownHeaders.IsJoined"/>) is joined to the first instead, empty parts left out.
    /// </summary>
    public void AddReceived(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var known = KnownHeaders.Find(name);
        if (!TryJoin(known, value))
        {
            Append(known, known == KnownHeader.None ? name : default, value);
        }
    }

    internal void AddReceived(KnownHeader known, ReadOnlySpan<byte> value)
    {
        if (!TryJoin(known, value))
        {
            Append(known, default, value);
        }
    }

    /// <summary>Copies a message's raw bytes into the store as they are, to be cut into entries by <see cref="AddStored"/>.</summary>
    internal Span<byte> StoreRaw(ReadOnlySpan<byte> bytes, out int start)
    {
        start = Store(bytes);
        return _store.AsSpan(start, bytes.Length);
    }

    /// <summary>Appends an entry whose name (lower case already; length 0 for a known header) and value lie in the store.</summary>
    internal void AddStored(KnownHeader known, int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (known == KnownHeader.None || !TryJoin(known, _store.AsSpan(valueStart, valueLength)))
        {
            Append(known, nameStart, known == KnownHeader.None ? nameLength : 0, valueStart, valueLength);
        }
    }

    /// <summary>Replaces all entries of that name by one, at the place of the first.</summary>
    public void Set(KnownHeader header, ReadOnlySpan<byte> value)
    {
        var index = Find(header);
        if (index < 0)
        {
            Append(header, default, value);
            return;
        }
        RemoveFrom(header, index + 1);
        Replace(index, value);
    }

    public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var index = IndexOf(name, 0);
        if (index < 0)
        {
            Add(name, value);
            return;
        }
        for (var i = IndexOf(name, index + 1); i >= 0; i = IndexOf(name, i + 1))
        {
            RemoveAt(i);
        }
        Replace(index, value);
    }

    public void Set(KnownHeader header, string value)
    {
        var length = value.Length;
        Span<byte> bytes = length <= 256 ? stackalloc byte[length] : new byte[length];
        Encoding.Latin1.GetBytes(value, bytes);
        Set(header, bytes);
    }

    public void Set(KnownHeader header, long value)
    {
        Span<byte> digits = stackalloc byte[20];
        value.TryFormat(digits, out var written, default, CultureInfo.InvariantCulture);
        Set(header, digits[..written]);
    }

    /// <summary>Replaces the value of one entry in place.</summary>
    public void Replace(int index, ReadOnlySpan<byte> value)
    {
        ref var entry = ref _entries[index];
        ByteSize += value.Length - entry.ValueLength;
        if (value.Length <= entry.ValueLength && !value.Overlaps(_store))
        {
            value.CopyTo(_store.AsSpan(entry.ValueStart));
        }
        else
        {
            entry.ValueStart = Store(value);
        }
        entry.ValueLength = value.Length;
    }

    /// <summary>Removes all entries of that name; how many there were.</summary>
    public int Remove(KnownHeader header)
    {
        var first = Find(header);
        return first < 0 ? 0 : RemoveFrom(header, first);
    }

    public int Remove(ReadOnlySpan<byte> name)
    {
        var removed = 0;
        for (var i = IndexOf(name, 0); i >= 0; i = IndexOf(name, i + 1))
        {
            RemoveAt(i);
            removed++;
        }
        return removed;
    }

    public void RemoveAt(int index)
    {
        ref var entry = ref _entries[index];
        if (!entry.Live)
        {
            return;
        }
        entry.Live = false;
        Count--;
        ByteSize -= Name(index).Length + entry.ValueLength;
        if (entry.Known != KnownHeader.None && _slots[(int)entry.Known] == index + 1)
        {
            _slots[(int)entry.Known] = 0;
            for (var i = index + 1; i < _count; i++)
            {
                if (_entries[i].Live && _entries[i].Known == entry.Known)
                {
                    _slots[(int)entry.Known] = (byte)Math.Min(i + 1, Beyond);
                    break;
                }
            }
        }
    }

    /// <summary>Replaces the content by a copy of <paramref name="other"/>.</summary>
    public void CopyFrom(HeaderMap other)
    {
        Clear();
        Formatter = other.Formatter;
        for (var i = other.Next(0); i >= 0; i = other.Next(i + 1))
        {
            var entry = other._entries[i];
            Append(entry.Known, entry.NameLength == 0 ? default : other.Name(i), other.Value(i));
        }
    }

    private int Find(KnownHeader header) => header == KnownHeader.None ? -1 : SlotOrScan(header);

    private int SlotOrScan(KnownHeader header)
    {
        var slot = _slots[(int)header];
        return slot == Beyond ? ScanFrom(header, Beyond - 1) : slot - 1;
    }

    // Slots are bytes: a first entry at position 254 or later is marked and found by a scan.
    private const byte Beyond = 255;

    private int ScanFrom(KnownHeader header, int from)
    {
        for (var i = from; i < _count; i++)
        {
            if (_entries[i].Live && _entries[i].Known == header)
            {
                return i;
            }
        }
        return -1;
    }

    private int RemoveFrom(KnownHeader header, int from)
    {
        var removed = 0;
        for (var i = IndexOf(header, from); i >= 0; i = IndexOf(header, i + 1))
        {
            RemoveAt(i);
            removed++;
        }
        return removed;
    }

    /// <summary>Appends to the value of one entry.</summary>
    internal void AppendTo(int index, ReadOnlySpan<byte> separator, ReadOnlySpan<byte> value)
    {
        ref var entry = ref _entries[index];
        var start = Store(_store.AsSpan(entry.ValueStart, entry.ValueLength));
        Store(separator);
        Store(value);
        ByteSize += separator.Length + value.Length;
        entry.ValueStart = start;
        entry.ValueLength += separator.Length + value.Length;
    }

    private bool TryJoin(KnownHeader known, ReadOnlySpan<byte> value)
    {
        if (!KnownHeaders.IsJoined(known) || _slots[(int)known] == 0)
        {
            return false;
        }
        var index = Find(known);
        ref var entry = ref _entries[index];
        if (value.IsEmpty)
        {
            return true;
        }
        if (entry.ValueLength == 0)
        {
            Replace(index, value);
            return true;
        }
        AppendTo(index, ","u8, value);
        return true;
    }

    private void Append(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var nameStart = 0;
        var nameLength = 0;
        if (known == KnownHeader.None)
        {
            nameStart = Store(name);
            nameLength = name.Length;
            Ascii.ToLowerInPlace(_store.AsSpan(nameStart, nameLength), out _);
        }
        var valueStart = Store(value);
        Append(known, nameStart, nameLength, valueStart, value.Length);
    }

    private void Append(KnownHeader known, int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _count * 2);
        }
        ref var entry = ref _entries[_count];
        entry.NameStart = nameStart;
        entry.NameLength = nameLength;
        entry.ValueStart = valueStart;
        entry.ValueLength = valueLength;
        entry.Known = known;
        entry.Live = true;
        _count++;
        Count++;
        if (known == KnownHeader.None)
        {
            ByteSize += nameLength + valueLength;
            return;
        }
        ByteSize += KnownHeaders.Name(known).Length + valueLength;
        ref var slot = ref _slots[(int)known];
        if (slot == 0)
        {
            slot = (byte)Math.Min(_count, Beyond);
        }
    }

    private int Store(ReadOnlySpan<byte> bytes)
    {
        if (_used + bytes.Length > _store.Length)
        {
            Grow(bytes);
        }
        bytes.CopyTo(_store.AsSpan(_used));
        var start = _used;
        _used += bytes.Length;
        return start;
    }

    // The old store goes back only after the bytes, which may lie in it, are copied by the caller: so it is left to the collector.
    private void Grow(ReadOnlySpan<byte> bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_store.Length * 2, _used + bytes.Length));
        _store.AsSpan(0, _used).CopyTo(larger);
        _store = larger;
    }

    private struct Entry
    {
        public int NameStart;
        public int NameLength;
        public int ValueStart;
        public int ValueLength;
        public KnownHeader Known;
        public bool Live;
    }
}
