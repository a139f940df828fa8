namespace MeshProxy.Xds.Protobuf;

/// <summary>Equality of content: presence, values, unknown fields; the order of map entries does not count.</summary>
public sealed partial class Message
{
    public override bool Equals(object? obj)
    {
        if (ReferenceEquals(this, obj))
        {
            return true;
        }

        if (obj is not Message other || Type != other.Type || _presence != other._presence
            || !UnknownBytes.AsSpan().SequenceEqual(other.UnknownBytes))
        {
            return false;
        }

        var bits = CountOf(~Type.ReferenceMask);
        if (!_bits.AsSpan(0, bits).SequenceEqual(other._bits.AsSpan(0, bits)))
        {
            return false;
        }

        var references = CountOf(Type.ReferenceMask);
        for (var i = 0; i < references; i++)
        {
            if (!ReferencesEqual(_references![i], other._references![i]))
            {
                return false;
            }
        }

        return true;
    }

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Type);
        hash.Add(_presence);
        foreach (var bits in _bits.AsSpan(0, CountOf(~Type.ReferenceMask)))
        {
            hash.Add(bits);
        }

        foreach (var reference in _references.AsSpan(0, CountOf(Type.ReferenceMask)))
        {
            hash.Add(HashOf(reference));
        }

        return hash.ToHashCode();
    }

    private static bool ReferencesEqual(object one, object other) => (one, other) switch
    {
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (RepeatedField a, RepeatedField b) => ListsEqual(a, b),
        (MapField a, MapField b) => MapsEqual(a, b),
        _ => one.Equals(other),
    };

    private static bool ListsEqual(RepeatedField one, RepeatedField other)
    {
        if (one.Count != other.Count)
        {
            return false;
        }

        if (one.IsBits)
        {
            return one.Bits.SequenceEqual(other.Bits);
        }

        for (var i = 0; i < one.Count; i++)
        {
            if (!ReferencesEqual(one.ReferenceAt(i), other.ReferenceAt(i)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MapsEqual(MapField one, MapField other)
    {
        if (one.Count != other.Count)
        {
            return false;
        }

        for (var i = 0; i < one.Count; i++)
        {
            var position = one.Keys.IsBits
                ? other.IndexOf(one.Keys.BitsAt(i))
                : other.IndexOf((string)one.Keys.ReferenceAt(i));
            if (position < 0 || !EntriesEqual(one.Values, i, other.Values, position))
            {
                return false;
            }
        }

        return true;
    }

    private static bool EntriesEqual(RepeatedField one, int i, RepeatedField other, int j) =>
        one.IsBits ? one.BitsAt(i) == other.BitsAt(j) : ReferencesEqual(one.ReferenceAt(i), other.ReferenceAt(j));

    private static int HashOf(object reference)
    {
        switch (reference)
        {
            case string text:
                return text.GetHashCode(StringComparison.Ordinal);
            case byte[] bytes:
                var hash = default(HashCode);
                hash.AddBytes(bytes);
                return hash.ToHashCode();
            case RepeatedField list:
                return HashOfList(list);
            case MapField map:
                return HashOfMap(map);
            default:
                return reference.GetHashCode();
        }
    }

    private static int HashOfList(RepeatedField list)
    {
        var hash = default(HashCode);
        for (var i = 0; i < list.Count; i++)
        {
            hash.Add(HashOfElement(list, i));
        }

        return hash.ToHashCode();
    }

    private static int HashOfMap(MapField map)
    {
        var hash = 0;
        for (var i = 0; i < map.Count; i++)
        {
            hash += HashCode.Combine(HashOfElement(map.Keys, i), HashOfElement(map.Values, i));
        }

        return hash;
    }

    private static int HashOfElement(RepeatedField list, int i) =>
        list.IsBits ? list.BitsAt(i).GetHashCode() : HashOf(list.ReferenceAt(i));
}
