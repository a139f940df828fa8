using Envoy.Config.Metrics.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Compiles stats_config: which stats are kept, how they are tagged, the buckets of histograms.</summary>
public static class StatsConfigCompiler
{
    /// <summary>Puts what the configuration says into the store; before any stat is made.</summary>
    /// <param name="extraTags">Tags of --stats-tag.</param>
    /// <exception cref="ConfigurationException">A tag has no default of its name, or an expression is malformed.</exception>
    public static void Apply(
        StatsConfig? config, StatsStore store, IReadOnlyList<KeyValuePair<string, string>>? extraTags = null)
    {
        store.Matcher = config?.StatsMatcher is { } matcher ? Matcher(matcher, "stats_config.stats_matcher") : null;
        store.Tags = Tags(config, extraTags ?? []);
        store.Buckets = Buckets(config);
    }

    /// <summary>Null keeps everything.</summary>
    /// <exception cref="ConfigurationException">An expression is malformed.</exception>
    public static IStatsMatcher? Matcher(StatsMatcher config, string field) =>
        config.StatsMatcherCase switch
        {
            StatsMatcher.StatsMatcherOneofCase.RejectAll => config.RejectAll ? new ListMatcher([], rejectsMatches: false) : null,
            StatsMatcher.StatsMatcherOneofCase.ExclusionList => new ListMatcher(
                Patterns(config.ExclusionList!.Value.Patterns, field), rejectsMatches: true),
            StatsMatcher.StatsMatcherOneofCase.InclusionList => new ListMatcher(
                Patterns(config.InclusionList!.Value.Patterns, field), rejectsMatches: false),
            _ => null,
        };

    private static StringMatcher[] Patterns(IReadOnlyList<Envoy.Type.Matcher.V3.StringMatcher> patterns, string field) =>
        [.. patterns.Select(pattern => StringMatcher.Compile(pattern, field))];

    private static TagProducer Tags(StatsConfig? config, IReadOnlyList<KeyValuePair<string, string>> extraTags)
    {
        var extractors = new List<TagExtractor>();
        var fixedTags = new List<KeyValuePair<string, string>>(extraTags);
        if (config?.UseAllDefaultTags ?? true)
        {
            extractors.AddRange(DefaultTags.All);
        }
        foreach (var tag in config is { } given ? given.StatsTags : default)
        {
            switch (tag.TagValueCase)
            {
                case TagSpecifier.TagValueOneofCase.FixedValue:
                    fixedTags.Add(new(tag.TagName, tag.FixedValue));
                    break;
                case TagSpecifier.TagValueOneofCase.Regex when tag.Regex.Length > 0:
                    if (tag.TagName.Length == 0)
                    {
                        throw new ConfigurationException("stats_config.stats_tags: tag_name cannot be empty; name the tag.");
                    }
                    extractors.Add(new RegexTagExtractor(tag.TagName, tag.Regex));
                    break;
                default:
                    extractors.AddRange(DefaultsOf(tag.TagName));
                    break;
            }
        }
        return new TagProducer(extractors, fixedTags);
    }

    private static IEnumerable<TagExtractor> DefaultsOf(string name)
    {
        var defaults = DefaultTags.All.Where(extractor => extractor.TagName == name).ToArray();
        return defaults.Length > 0
            ? defaults
            : throw new ConfigurationException(
                $"The tag '{name}' has neither a regular expression nor a fixed value, and no default extractor has its name; give it one in stats_config.stats_tags.");
    }

    private static HistogramBuckets Buckets(StatsConfig? config)
    {
        if (config is not { HistogramBucketSettings.Count: > 0 } given)
        {
            return HistogramBuckets.Default;
        }
        var settings = new List<(Func<string, bool>, double[])>();
        foreach (var setting in given.HistogramBucketSettings)
        {
            Func<string, bool> match = setting.Match is { } pattern
                ? StringMatcher.Compile(pattern, "stats_config.histogram_bucket_settings.match").Match
                : static _ => true;
            settings.Add((match, [.. setting.Buckets.Order()]));
        }
        return new HistogramBuckets(settings);
    }

    private sealed class ListMatcher(StringMatcher[] patterns, bool rejectsMatches) : IStatsMatcher
    {
        public bool Rejects(string name)
        {
            foreach (var pattern in patterns)
            {
                if (pattern.Match(name))
                {
                    return rejectsMatches;
                }
            }
            return !rejectsMatches;
        }
    }
}
