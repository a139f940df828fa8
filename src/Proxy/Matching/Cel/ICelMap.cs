namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>A map CEL looks into; made for what the expression asks, not filled before.</summary>
public interface ICelMap
{
    bool TryGet(in CelValue key, out CelValue value);

    int Count { get; }

    IEnumerable<CelValue> Keys { get; }
}

/// <summary>A map with values of its own.</summary>
public sealed class CelMap(IReadOnlyList<KeyValuePair<CelValue, CelValue>> entries) : ICelMap
{
    public int Count => entries.Count;

    public IEnumerable<CelValue> Keys
    {
        get
        {
            foreach (var (key, _) in entries)
            {
                yield return key;
            }
        }
    }

    public bool TryGet(in CelValue key, out CelValue value)
    {
        foreach (var (own, held) in entries)
        {
            if (own.Equals(key))
            {
                value = held;
                return true;
            }
        }
        value = default;
        return false;
    }
}

/// <summary>A map with names for keys, whose values are found by a function.</summary>
public sealed class CelObject(Func<string, CelValue?> find, Func<IEnumerable<string>> names) : ICelMap
{
    public int Count => names().Count();

    public IEnumerable<CelValue> Keys => names().Select(CelValue.Of);

    public bool TryGet(in CelValue key, out CelValue value)
    {
        var found = key.Kind == CelKind.String ? find(key.AsString) : null;
        value = found ?? default;
        return found is not null;
    }
}
