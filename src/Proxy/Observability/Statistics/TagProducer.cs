namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Splits a stat's name into tags and the name without them (Envoy's TagProducer).</summary>
public sealed class TagProducer
{
    public static readonly TagProducer None = new([], []);

    private readonly KeyValuePair<string, string>[] _fixed;
    private readonly List<TagExtractor> _general = [];
    private readonly Dictionary<string, List<TagExtractor>> _byToken = new(StringComparer.Ordinal);

    /// <param name="extractors">Tried in order; the first that finds a tag of a name wins.</param>
    /// <param name="fixedTags">Put on every stat, before what is extracted.</param>
    public TagProducer(IEnumerable<TagExtractor> extractors, IEnumerable<KeyValuePair<string, string>> fixedTags)
    {
        _fixed = [.. fixedTags];
        foreach (var extractor in extractors)
        {
            if (extractor.FirstToken.Length == 0)
            {
                _general.Add(extractor);
            }
            else if (_byToken.TryGetValue(extractor.FirstToken, out var list))
            {
                list.Add(extractor);
            }
            else
            {
                _byToken[extractor.FirstToken] = [extractor];
            }
        }
    }

    public IReadOnlyList<KeyValuePair<string, string>> FixedTags => _fixed;

    /// <summary>Adds the tags of <paramref name="name"/> to <paramref name="tags"/>; returns the name without them.</summary>
    public string Extract(string name, List<KeyValuePair<string, string>> tags)
    {
        tags.AddRange(_fixed);
        List<Range>? removed = null;
        Extract(_general, name, tags, ref removed);
        var dot = name.IndexOf('.');
        if (dot > 0 && _byToken.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name.AsSpan(0, dot), out var extractors))
        {
            Extract(extractors, name, tags, ref removed);
        }
        return removed is null ? name : Without(name, removed);
    }

    private static void Extract(
        List<TagExtractor> extractors, string name, List<KeyValuePair<string, string>> tags, ref List<Range>? removed)
    {
        foreach (var extractor in extractors)
        {
            if (Has(tags, extractor.TagName) || !extractor.TryExtract(name, out var value, out var range))
            {
                continue;
            }
            tags.Add(new(extractor.TagName, value));
            (removed ??= []).Add(range);
        }
    }

    private static bool Has(List<KeyValuePair<string, string>> tags, string name)
    {
        foreach (var (tag, _) in tags)
        {
            if (tag == name)
            {
                return true;
            }
        }
        return false;
    }

    // Ranges may overlap, for all extractors look at the whole name.
    private static string Without(string name, List<Range> removed)
    {
        Span<char> kept = name.Length <= 256 ? stackalloc char[name.Length] : new char[name.Length];
        var length = 0;
        for (var i = 0; i < name.Length; i++)
        {
            var drop = false;
            foreach (var range in removed)
            {
                drop |= i >= range.Start.Value && i < range.End.Value;
            }
            if (!drop)
            {
                kept[length++] = name[i];
            }
        }
        return kept[..length].ToString();
    }
}
