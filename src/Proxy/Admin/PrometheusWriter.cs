using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Admin;

/// <summary>
/// Stats in Prometheus' text form. All samples of a family stand together under one TYPE line, families sorted by name within
/// their type.
/// </summary>
internal static class PrometheusWriter
{
    // About what a socket takes at once.
    private const int PieceBytes = 32 * 1024;

    /// <summary>Prefixes that are cut off, and whose metrics do not get `envoy_`: WebAssembly and Istio name their own.</summary>
    private static readonly string[] CustomNamespaces = ["wasmcustom.", "istiocustom."];

    public static AdminResponse Write(StatsStore store, List<StatValue> sorted, bool summaries)
    {
        var families = new List<Family>();
        families.AddRange(Group(store, sorted, static kind => kind == StatKind.Counter, "counter"));
        families.AddRange(Group(store, sorted, static kind => kind == StatKind.Gauge, "gauge"));
        families.AddRange(Group(store, sorted, static kind => kind is null, "gauge"));
        families.AddRange(Group(store, sorted, static kind => kind == StatKind.Histogram, summaries ? "summary" : "histogram"));
        var next = 0;
        return AdminResponse.Pieces(output =>
        {
            while (next < families.Count && output.Length < PieceBytes)
            {
                WriteFamily(store, families[next++], output);
            }
            return next < families.Count;
        });
    }

    private sealed record Family(string Name, string Type, List<(StatValue Stat, string Labels)> Samples);

    private static IEnumerable<Family> Group(StatsStore store, List<StatValue> sorted, Func<StatKind?, bool> kinds, string type)
    {
        var families = new SortedDictionary<string, Family>(StringComparer.Ordinal);
        var tags = new List<KeyValuePair<string, string>>();
        foreach (var stat in sorted)
        {
            if (!kinds(stat.Kind))
            {
                continue;
            }
            tags.Clear();
            var extracted = store.Extract(stat.Name, stat.Tags, tags);
            if (!families.TryGetValue(extracted, out var family))
            {
                if (MetricName(extracted) is not { } name)
                {
                    continue;
                }
                families[extracted] = family = new Family(name, type, []);
            }
            family.Samples.Add((stat, Labels(stat, tags)));
        }
        return families.Values;
    }

    private static string Labels(in StatValue stat, List<KeyValuePair<string, string>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            Append(name, value);
        }
        if (stat.Kind is null)
        {
            Append("text_value", stat.Text ?? "");
        }
        return labels.ToString();

        void Append(string name, string value)
        {
            labels.Append(labels.Length == 0 ? "" : ",").Append(Sanitize(name)).Append("=\"")
                .Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
                    .Replace("\"", "\\\"", StringComparison.Ordinal))
                .Append('"');
        }
    }

    // Null for a custom name that Prometheus would refuse.
    private static string? MetricName(string extracted)
    {
        foreach (var custom in CustomNamespaces)
        {
            if (extracted.StartsWith(custom, StringComparison.Ordinal))
            {
                var name = Sanitize(extracted[custom.Length..]);
                return name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') ? name : null;
            }
        }
        return "envoy_" + Sanitize(extracted);
    }

    private static string Sanitize(string name) =>
        string.Create(name.Length, name, static (made, source) =>
        {
            for (var i = 0; i < made.Length; i++)
            {
                made[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
            }
        });

    private static void WriteFamily(StatsStore store, Family family, ByteWriter output)
    {
        output.Write($"# TYPE {family.Name} {family.Type}\n");
        foreach (var (stat, labels) in family.Samples)
        {
            if (stat.Kind != StatKind.Histogram)
            {
                output.Write($"{family.Name}{{{labels}}} {stat.Unsigned}\n");
            }
            else if (family.Type == "summary")
            {
                WriteSummary(family.Name, labels, stat.Histogram, output);
            }
            else
            {
                WriteHistogram(family.Name, labels, stat.Histogram?.Cumulative ?? new HistogramBins(), store.Buckets.For(stat.Name), output);
            }
        }
    }

    private static void WriteHistogram(string name, string labels, HistogramBins bins, double[] boundaries, ByteWriter output)
    {
        var separator = labels.Length == 0 ? "" : ",";
        var counts = HistogramText.Counts(bins, boundaries, disjoint: false);
        for (var i = 0; i < boundaries.Length; i++)
        {
            output.Write($"{name}_bucket{{{labels}{separator}le=\"{Number(boundaries[i])}\"}} {counts[i]}\n");
        }
        var total = bins.SampleCount;
        output.Write($"{name}_bucket{{{labels}{separator}le=\"+Inf\"}} {total}\n");
        WriteTotals(name, labels, bins, output);
    }

    private static void WriteSummary(string name, string labels, MergedHistogram? histogram, ByteWriter output)
    {
        var separator = labels.Length == 0 ? "" : ",";
        var interval = histogram?.Interval ?? new HistogramBins();
        var values = HistogramText.Values(interval);
        for (var i = 0; i < values.Length; i++)
        {
            output.Write($"{name}{{{labels}{separator}quantile=\"{HistogramText.Number(HistogramText.Quantiles[i])}\"}} {Number(values[i])}\n");
        }
        WriteTotals(name, labels, histogram?.Cumulative ?? new HistogramBins(), output);
    }

    private static void WriteTotals(string name, string labels, HistogramBins bins, ByteWriter output) =>
        output.Write($"{name}_sum{{{labels}}} {Number(bins.SampleSum)}\n{name}_count{{{labels}}} {bins.SampleCount}\n");

    // `%.32g`: Envoy prints all digits a double has.
    private static string Number(double value) =>
        double.IsNaN(value) ? "nan" : value.ToString("G32", CultureInfo.InvariantCulture);
}
