namespace MeshProxy.Xds.Protobuf;

/// <summary>Entries of a map in the order they came. Small maps are searched, larger ones indexed at the first look-up.</summary>
internal sealed class MapField(bool keysAreBits, bool valuesAreBits)
{
    private const int IndexedFrom = 9;

    private Dictionary<string, int>? _index;

    public RepeatedField Keys { get; } = new(keysAreBits);

    public RepeatedField Values { get; } = new(valuesAreBits);

    public int Count => Keys.Count;

    /// <summary>Position of a text key, or -1.</summary>
    public int IndexOf(string key)
    {
        if (Keys.Count >= IndexedFrom)
        {
            return (Volatile.Read(ref _index) ?? BuildIndex()).TryGetValue(key, out var position) ? position : -1;
        }

        var keys = Keys.References;
        for (var i = 0; i < keys.Length; i++)
        {
            if ((string)keys[i] == key)
            {
                return i;
            }
        }

        return -1;
    }

    public int IndexOf(ulong key) => Keys.Bits.IndexOf(key);

    /// <summary>Sets the value of a key; the last of several wins, as on the wire.</summary>
    public void Set(string key, object value)
    {
        var position = IndexOf(key);
        if (position >= 0)
        {
            Values.Replace(position, value);
            return;
        }

        AddKey(key);
        Values.Add(value);
    }

    /// <summary>Adds a key that is known to be new; the value follows at the same position.</summary>
    public void AddKey(string key)
    {
        _index?.Add(key, Keys.Count);
        Keys.Add(key);
    }

    private Dictionary<string, int> BuildIndex()
    {
        var index = new Dictionary<string, int>(Keys.Count, StringComparer.Ordinal);
        var keys = Keys.References;
        for (var i = 0; i < keys.Length; i++)
        {
            index[(string)keys[i]] = i;
        }

        Volatile.Write(ref _index, index);
        return index;
    }
}
