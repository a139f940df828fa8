namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>
/// The dynamic table of RFC 7541 2.3.2. Texts lie one behind the other in a buffer of twice the table's size, so that
/// making room is a rare copy; nothing is allocated once the table is in use.
/// </summary>
internal sealed class DynamicTable
{
    /// <summary>What an entry counts beyond its text (RFC 7541 4.1).</summary>
    public const int EntryOverhead = 32;

    private Entry[] _entries = [];
    private byte[] _text = [];
    private int _first;
    private int _textStart;
    private int _textEnd;
    private int _moved;

    public DynamicTable(int maxSize) => MaxSize = maxSize;

    public int Count { get; private set; }

    public int Size { get; private set; }

    public int MaxSize { get; private set; }

    /// <summary>Entries ever added; the newest one's number is this.</summary>
    public int Added { get; private set; }

    /// <summary>Changes the limit, dropping the oldest entries that do not fit any more.</summary>
    public void Resize(int maxSize)
    {
        MaxSize = maxSize;
        Evict(0);
    }

    public KnownHeader Known(int position) => At(position).Known;

    /// <summary>Name of the entry at <paramref name="position"/>, 0 the newest. Valid until the table changes.</summary>
    public ReadOnlySpan<byte> Name(int position)
    {
        ref var entry = ref At(position);
        return _text.AsSpan(entry.Start - _moved, entry.NameLength);
    }

    public ReadOnlySpan<byte> Value(int position)
    {
        ref var entry = ref At(position);
        return _text.AsSpan(entry.Start - _moved + entry.NameLength, entry.ValueLength);
    }

    /// <summary>Adds an entry; one larger than the whole table empties it (RFC 7541 4.4). The texts may lie in this table.</summary>
    public void Add(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var length = name.Length + value.Length;
        if (length + EntryOverhead > MaxSize)
        {
            Evict(MaxSize);
            return;
        }
        if (name.Overlaps(_text))
        {
            // Evicting and making room move or overwrite the text it lies in.
            Span<byte> copy = name.Length <= 256 ? stackalloc byte[name.Length] : new byte[name.Length];
            name.CopyTo(copy);
            Insert(known, copy, value, length);
            return;
        }
        Insert(known, name, value, length);
    }

    private void Insert(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int length)
    {
        Evict(length + EntryOverhead);
        MakeRoom(length);
        name.CopyTo(_text.AsSpan(_textEnd));
        value.CopyTo(_text.AsSpan(_textEnd + name.Length));
        if (Count == _entries.Length)
        {
            GrowEntries();
        }
        _entries[(_first + Count) & (_entries.Length - 1)] = new Entry
        {
            Start = _textEnd + _moved,
            NameLength = name.Length,
            ValueLength = value.Length,
            Known = known,
        };
        _textEnd += length;
        Count++;
        Added++;
        Size += length + EntryOverhead;
    }

    private ref Entry At(int position) => ref _entries[(_first + Count - 1 - position) & (_entries.Length - 1)];

    private void Evict(int needed)
    {
        while (Count > 0 && Size + needed > MaxSize)
        {
            ref var oldest = ref _entries[_first];
            Size -= oldest.NameLength + oldest.ValueLength + EntryOverhead;
            _textStart += oldest.NameLength + oldest.ValueLength;
            _first = (_first + 1) & (_entries.Length - 1);
            Count--;
        }
    }

    private void MakeRoom(int length)
    {
        if (_textEnd + length <= _text.Length)
        {
            return;
        }
        var used = _textEnd - _textStart;
        var target = used + length > _text.Length / 2 ? new byte[Math.Max(Math.Min(1024, MaxSize * 2), (used + length) * 2)] : _text;
        _text.AsSpan(_textStart, used).CopyTo(target);
        _text = target;
        _moved += _textStart;
        _textStart = 0;
        _textEnd = used;
    }

    private void GrowEntries()
    {
        var larger = new Entry[Math.Max(16, _entries.Length * 2)];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = _entries[(_first + i) & (_entries.Length - 1)];
        }
        _entries = larger;
        _first = 0;
    }

    private struct Entry
    {
        public int Start;
        public int NameLength;
        public int ValueLength;
        public KnownHeader Known;
    }
}
