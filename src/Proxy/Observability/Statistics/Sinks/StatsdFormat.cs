using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Where a dialect of statsd puts tags.</summary>
internal enum StatsdTags
{
    /// <summary>They stay in the name (statsd).</summary>
    None,

    /// <summary>`name:1|c|#tag:value,tag:value` (DogStatsD).</summary>
    AfterValue,

    /// <summary>`name;tag=value;tag=value:1|c` (Graphite).</summary>
    AfterName,
}

/// <summary>Writes lines of statsd (https://github.com/statsd/statsd/blob/master/docs/metric_types.md) and its dialects.</summary>
internal sealed class StatsdFormat(StatsStore store, string prefix, StatsdTags tagging, bool scalesToMilliseconds)
{
    private const string DefaultPrefix = "envoy";

    private readonly string _prefix = prefix.Length > 0 ? prefix : DefaultPrefix;

    /// <summary>Null for what statsd does not know.</summary>
    public string? Line(in SnapshotStat stat) => stat.Stat.Kind switch
    {
        StatKind.Counter => Line(stat.Stat.Name, stat.Stat.Tags, stat.Delta.ToString(CultureInfo.InvariantCulture), "c"),
        StatKind.Gauge => Line(stat.Stat.Name, stat.Stat.Tags, stat.Stat.Unsigned.ToString(CultureInfo.InvariantCulture), "g"),
        _ => null,
    };

    /// <summary>A sample: all are timers, but shares of a whole.</summary>
    public string Line(StoreHistogram histogram, ulong sample)
    {
        if (HistogramUnits.IsPercent(histogram.LocalName))
        {
            var share = sample / HistogramUnits.PercentScale;
            return Line(histogram.Name, histogram.Tags, ((float)share).ToString(CultureInfo.InvariantCulture), "h");
        }
        var value = scalesToMilliseconds && HistogramUnits.IsMicroseconds(histogram.LocalName) ? sample / 1000 : sample;
        return Line(histogram.Name, histogram.Tags, value.ToString(CultureInfo.InvariantCulture), "ms");
    }

    private string Line(string name, StatTags? given, string value, string type)
    {
        if (tagging == StatsdTags.None)
        {
            return $"{_prefix}.{name}:{value}|{type}";
        }
        var tags = new List<KeyValuePair<string, string>>();
        var extracted = store.Extract(name, given, tags);
        return tagging == StatsdTags.AfterName
            ? $"{_prefix}.{extracted}{Join(tags, ";", "=", ";")}:{value}|{type}"
            : $"{_prefix}.{extracted}:{value}|{type}{Join(tags, "|#", ":", ",")}";
    }

    private static string Join(List<KeyValuePair<string, string>> tags, string start, string assign, string separator)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length == 0 ? start : separator).Append(name).Append(assign).Append(value);
        }
        return text.ToString();
    }
}
