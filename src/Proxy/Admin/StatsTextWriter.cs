using System.Net;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Admin;

/// <summary>Stats as lines: text readouts, then counters and gauges, then histograms, each sorted.</summary>
internal static class StatsTextWriter
{
    // About what a socket takes at once.
    private const int PieceBytes = 32 * 1024;

    public static AdminResponse Write(StatsStore store, List<StatValue> sorted, HistogramMode mode)
    {
        var ordered = InSections(sorted);
        var next = 0;
        return AdminResponse.Pieces(output =>
        {
            while (next < ordered.Count && output.Length < PieceBytes)
            {
                WriteLine(store, ordered[next++], mode, output);
            }
            return next < ordered.Count;
        });
    }

    /// <summary>A page with the same lines.</summary>
    public static AdminResponse WriteHtml(StatsStore store, List<StatValue> sorted)
    {
        var lines = new ByteWriter();
        foreach (var stat in InSections(sorted))
        {
            WriteLine(store, stat, HistogramMode.Quantiles, lines);
        }
        var text = WebUtility.HtmlEncode(System.Text.Encoding.UTF8.GetString(lines.Written));
        return AdminResponse.Html($"<!DOCTYPE html>\n<html><head><title>MeshProxy stats</title></head><body><pre>\n{text}</pre></body></html>\n");
    }

    private static List<StatValue> InSections(List<StatValue> sorted)
    {
        var ordered = new List<StatValue>(sorted.Count);
        ordered.AddRange(sorted.Where(stat => stat.Kind is null));
        ordered.AddRange(sorted.Where(stat => stat.Kind is StatKind.Counter or StatKind.Gauge));
        ordered.AddRange(sorted.Where(stat => stat.Kind is StatKind.Histogram));
        return ordered;
    }

    private static void WriteLine(StatsStore store, in StatValue stat, HistogramMode mode, ByteWriter output)
    {
        output.Write(stat.Node.Prefix);
        output.Write(stat.LocalName);
        output.Write(": "u8);
        switch (stat.Kind)
        {
            case null:
                output.Write($"\"{stat.Text}\"");
                break;
            case StatKind.Histogram:
                WriteHistogram(store, stat, mode, output);
                break;
            default:
                output.Write(stat.Unsigned);
                break;
        }
        output.Write((byte)'\n');
    }

    private static void WriteHistogram(StatsStore store, in StatValue stat, HistogramMode mode, ByteWriter output)
    {
        if (stat.Histogram is not { } histogram)
        {
            output.Write("No recorded values"u8);
            return;
        }
        switch (mode)
        {
            case HistogramMode.Cumulative or HistogramMode.Disjoint:
                HistogramText.WriteBuckets(histogram, store.Buckets.For(stat.Name), mode == HistogramMode.Disjoint, output);
                break;
            case HistogramMode.Detailed:
                output.CutTo(output.Length - 1);
                output.Write("\n  totals="u8);
                HistogramText.WriteBins(histogram.Cumulative, output);
                output.Write("\n  intervals="u8);
                HistogramText.WriteBins(histogram.Interval, output);
                output.Write("\n  summary="u8);
                HistogramText.WriteQuantiles(histogram, output);
                break;
            default:
                HistogramText.WriteQuantiles(histogram, output);
                break;
        }
    }
}
