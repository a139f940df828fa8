namespace MeshProxy.Proxy.Configuration;

/// <summary>What a piece of configuration that is recognised but not built does to traffic.</summary>
public enum UnsupportedEffect
{
    /// <summary>It has no effect; traffic passes as if it were not there.</summary>
    Ignored,

    /// <summary>It might protect: traffic that meets it is refused.</summary>
    Refuses,
}

/// <summary>Configuration that was accepted although this proxy does not build it: counted, listed, warned of once. Main loop only.</summary>
public sealed class UnsupportedFeatures
{
    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Hears of each the first time.</summary>
    public event Action<Entry>? Found;

    /// <param name="Feature">Type of the configuration, or the field's path.</param>
    /// <param name="Effect">What becomes of traffic.</param>
    /// <param name="Count">How often it was compiled since the start.</param>
    public sealed record Entry(string Feature, UnsupportedEffect Effect, long Count);

    public IReadOnlyCollection<Entry> All => _entries.Values;

    /// <summary>The registry of the server.</summary>
    public static UnsupportedFeatures Of(Singletons singletons) => singletons.Get("server", static () => new UnsupportedFeatures());

    public void Note(string feature, UnsupportedEffect effect)
    {
        var known = _entries.TryGetValue(feature, out var entry);
        _entries[feature] = new Entry(feature, effect, (entry?.Count ?? 0) + 1);
        if (!known)
        {
            Found?.Invoke(_entries[feature]);
        }
    }
}
