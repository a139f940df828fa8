using System.Globalization;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Admin;

/// <summary>Histograms as numbers: Envoy's quantiles and buckets.</summary>
internal static class HistogramText
{
    /// <summary>Envoy's supported quantiles.</summary>
    public static readonly double[] Quantiles = HistogramBins.ShownQuantiles;

    /// <summary>The same in percent, as they are shown.</summary>
    public static readonly double[] Percents = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100];

    public static double[] Values(HistogramBins bins)
    {
        var values = new double[Quantiles.Length];
        bins.Quantiles(Quantiles, values);
        return values;
    }

    /// <summary>Counts up to each boundary, or (disjoint) between it and the one before.</summary>
    public static ulong[] Counts(HistogramBins bins, double[] boundaries, bool disjoint)
    {
        var counts = new ulong[boundaries.Length];
        var before = 0UL;
        for (var i = 0; i < counts.Length; i++)
        {
            var below = bins.CountBelow(boundaries[i]);
            counts[i] = disjoint ? below - before : below;
            before = below;
        }
        return counts;
    }

    /// <summary>As `{}` of fmt: shortest form, `nan` for what is not known.</summary>
    public static string Number(double value) =>
        double.IsNaN(value) ? "nan" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>`P0(interval,cumulative) P25(…) …`.</summary>
    public static void WriteQuantiles(MergedHistogram histogram, ByteWriter output)
    {
        var interval = Values(histogram.Interval);
        var cumulative = Values(histogram.Cumulative);
        for (var i = 0; i < Quantiles.Length; i++)
        {
            output.Write($"{(i == 0 ? "" : " ")}P{Number(Percents[i])}({Number(interval[i])},{Number(cumulative[i])})");
        }
    }

    /// <summary>`B1(interval,cumulative) B5(…) …`.</summary>
    public static void WriteBuckets(MergedHistogram histogram, double[] boundaries, bool disjoint, ByteWriter output)
    {
        var interval = Counts(histogram.Interval, boundaries, disjoint);
        var cumulative = Counts(histogram.Cumulative, boundaries, disjoint);
        for (var i = 0; i < boundaries.Length; i++)
        {
            output.Write($"{(i == 0 ? "" : " ")}B{Number(boundaries[i])}({interval[i]},{cumulative[i]})");
        }
    }

    /// <summary>Every bin as `left,width:count`.</summary>
    public static void WriteBins(HistogramBins bins, ByteWriter output)
    {
        var first = true;
        foreach (var bin in bins.Bins)
        {
            output.Write($"{(first ? "" : ", ")}{Number(bin.Left)},{Number(bin.Width)}:{bins.CountOf(bin)}");
            first = false;
        }
    }
}
