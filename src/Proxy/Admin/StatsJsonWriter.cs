using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Admin;

/// <summary>Stats as one JSON object; `pretty` changes nothing, as in Envoy since its answer is streamed.</summary>
internal static class StatsJsonWriter
{
    // About what a socket takes at once.
    private const int PieceBytes = 32 * 1024;

    public static AdminResponse Write(StatsStore store, List<StatValue> sorted, HistogramMode mode)
    {
        var plain = sorted.FindAll(stat => stat.Kind is null);
        plain.AddRange(sorted.Where(stat => stat.Kind is StatKind.Counter or StatKind.Gauge));
        var histograms = sorted.FindAll(stat => stat.Kind == StatKind.Histogram);
        var next = 0;
        return AdminResponse.Pieces(
            output =>
            {
                if (next == 0)
                {
                    output.Write("{\"stats\":["u8);
                }
                while (next < plain.Count && output.Length < PieceBytes)
                {
                    WritePlain(plain[next], first: next == 0, output);
                    next++;
                }
                if (next < plain.Count)
                {
                    return true;
                }
                WriteHistograms(store, histograms, mode, first: plain.Count == 0, output);
                output.Write("]}"u8);
                return false;
            },
            json: true);
    }

    private static void WritePlain(in StatValue stat, bool first, ByteWriter output)
    {
        output.Write(first ? "{\"name\":"u8 : ",{\"name\":"u8);
        JsonText.WriteString(stat.Name, output);
        output.Write(",\"value\":"u8);
        if (stat.Kind is null)
        {
            JsonText.WriteString(stat.Text ?? "", output);
        }
        else
        {
            output.Write(stat.Unsigned);
        }
        output.Write((byte)'}');
    }

    private static void WriteHistograms(
        StatsStore store, List<StatValue> histograms, HistogramMode mode, bool first, ByteWriter output)
    {
        if (histograms.Count == 0)
        {
            return;
        }
        output.Write(first ? "{\"histograms\":"u8 : ",{\"histograms\":"u8);
        switch (mode)
        {
            case HistogramMode.Cumulative or HistogramMode.Disjoint:
                WriteEach(histograms, output, stat => WriteBuckets(store, stat, mode == HistogramMode.Disjoint, output));
                break;
            case HistogramMode.Detailed:
                output.Write("{\"supported_percentiles\":"u8);
                WriteNumbers(HistogramText.Percents, output);
                output.Write(",\"details\":"u8);
                WriteEach(histograms, output, stat => WriteDetails(stat, output));
                output.Write((byte)'}');
                break;
            default:
                output.Write("{\"supported_quantiles\":"u8);
                WriteNumbers(HistogramText.Percents, output);
                output.Write(",\"computed_quantiles\":"u8);
                WriteEach(histograms, output, stat => WriteQuantiles(stat, "values", output));
                output.Write((byte)'}');
                break;
        }
        output.Write((byte)'}');
    }

    private static void WriteEach(List<StatValue> histograms, ByteWriter output, Action<StatValue> write)
    {
        output.Write((byte)'[');
        for (var i = 0; i < histograms.Count; i++)
        {
            output.Write(i == 0 ? "{\"name\":"u8 : ",{\"name\":"u8);
            JsonText.WriteString(histograms[i].Name, output);
            write(histograms[i]);
            output.Write((byte)'}');
        }
        output.Write((byte)']');
    }

    private static void WriteQuantiles(StatValue stat, string field, ByteWriter output)
    {
        var empty = new HistogramBins();
        var interval = HistogramText.Values(stat.Histogram?.Interval ?? empty);
        var cumulative = HistogramText.Values(stat.Histogram?.Cumulative ?? empty);
        output.Write($",\"{field}\":[");
        for (var i = 0; i < interval.Length; i++)
        {
            output.Write($"{(i == 0 ? "" : ",")}{{\"cumulative\":{Number(cumulative[i])},\"interval\":{Number(interval[i])}}}");
        }
        output.Write((byte)']');
    }

    private static void WriteBuckets(StatsStore store, StatValue stat, bool disjoint, ByteWriter output)
    {
        var empty = new HistogramBins();
        var boundaries = store.Buckets.For(stat.Name);
        var interval = HistogramText.Counts(stat.Histogram?.Interval ?? empty, boundaries, disjoint);
        var cumulative = HistogramText.Counts(stat.Histogram?.Cumulative ?? empty, boundaries, disjoint);
        output.Write(",\"buckets\":["u8);
        for (var i = 0; i < boundaries.Length; i++)
        {
            output.Write(
                $"{(i == 0 ? "" : ",")}{{\"upper_bound\":{Number(boundaries[i])},\"interval\":{interval[i]},\"cumulative\":{cumulative[i]}}}");
        }
        output.Write((byte)']');
    }

    private static void WriteDetails(StatValue stat, ByteWriter output)
    {
        WriteQuantiles(stat, "percentiles", output);
        WriteBins("totals", stat.Histogram?.Cumulative, output);
        WriteBins("intervals", stat.Histogram?.Interval, output);
    }

    private static void WriteBins(string field, HistogramBins? bins, ByteWriter output)
    {
        output.Write($",\"{field}\":[");
        var first = true;
        foreach (var bin in bins is null ? default : bins.Bins)
        {
            output.Write(
                $"{(first ? "" : ",")}{{\"lower_bound\":{Number(bin.Left)},\"width\":{Number(bin.Width)},\"count\":{bins!.CountOf(bin)}}}");
            first = false;
        }
        output.Write((byte)']');
    }

    private static void WriteNumbers(double[] numbers, ByteWriter output)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            output.Write($"{(i == 0 ? "[" : ",")}{Number(numbers[i])}");
        }
        output.Write((byte)']');
    }

    private static string Number(double value) => double.IsNaN(value) ? "null" : HistogramText.Number(value);
}
