using Envoy.Config.Metrics.V3;
using Io.Prometheus.Client;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Statistics as messages of Prometheus: a family each, a histogram as summary and as histogram.</summary>
internal sealed class MetricFamilies(MetricsServiceConfig config)
{
    private readonly bool _deltas = config.ReportCountersAsDeltas ?? false;
    private readonly bool _summaries = config.HistogramEmitMode != HistogramEmitMode.Histogram;
    private readonly bool _histograms = config.HistogramEmitMode != HistogramEmitMode.Summary;

    public void Add(StatsSnapshot snapshot, in SnapshotStat stat, List<MetricFamily> families)
    {
        var time = new DateTimeOffset(snapshot.Time, TimeSpan.Zero).ToUnixTimeMilliseconds();
        switch (stat.Stat.Kind)
        {
            case StatKind.Counter:
                var counter = Io.Prometheus.Client.Counter.New();
                counter.Value = _deltas ? stat.Delta : stat.Stat.Unsigned;
                families.Add(Family(snapshot, stat, MetricType.Counter, time, out var counted));
                counted.Counter = counter;
                break;
            case StatKind.Gauge:
                var gauge = Io.Prometheus.Client.Gauge.New();
                gauge.Value = stat.Stat.Unsigned;
                families.Add(Family(snapshot, stat, MetricType.Gauge, time, out var gauged));
                gauged.Gauge = gauge;
                break;
            case StatKind.Histogram when stat.Stat.Histogram is { } histogram:
                AddHistogram(snapshot, stat, histogram.Interval, time, families);
                break;
        }
    }

    private void AddHistogram(
        StatsSnapshot snapshot, in SnapshotStat stat, HistogramBins bins, long time, List<MetricFamily> families)
    {
        if (_summaries)
        {
            families.Add(Family(snapshot, stat, MetricType.Summary, time, out var summarised));
            summarised.Summary = SummaryOf(bins);
        }
        if (_histograms)
        {
            families.Add(Family(snapshot, stat, MetricType.Histogram, time, out var measured));
            measured.Histogram = HistogramOf(bins, snapshot.Store.Buckets.For(stat.Stat.Name));
        }
    }

    private MetricFamily Family(
        StatsSnapshot snapshot, in SnapshotStat stat, MetricType type, long time, out Metric metric)
    {
        metric = Metric.New();
        metric.TimestampMs = time;
        var family = MetricFamily.New();
        family.Type = type;
        family.Name = stat.Stat.Name;
        if (config.EmitTagsAsLabels)
        {
            var tags = new List<KeyValuePair<string, string>>();
            family.Name = snapshot.Store.Extract(stat.Stat.Name, stat.Stat.Tags, tags);
            foreach (var (name, value) in tags)
            {
                var label = LabelPair.New();
                label.Name = name;
                label.Value = value;
                metric.Label.Add(label);
            }
        }
        family.Metric.Add(metric);
        return family;
    }

    private static Summary SummaryOf(HistogramBins bins)
    {
        var summary = Summary.New();
        summary.SampleCount = bins.SampleCount;
        summary.SampleSum = bins.SampleSum;
        var values = new double[HistogramBins.ShownQuantiles.Length];
        bins.Quantiles(HistogramBins.ShownQuantiles, values);
        for (var i = 0; i < values.Length; i++)
        {
            var quantile = Quantile.New();
            quantile.QuantileValue = HistogramBins.ShownQuantiles[i];
            quantile.Value = values[i];
            summary.Quantile.Add(quantile);
        }
        return summary;
    }

    private static Io.Prometheus.Client.Histogram HistogramOf(HistogramBins bins, double[] boundaries)
    {
        var histogram = Io.Prometheus.Client.Histogram.New();
        histogram.SampleCount = bins.SampleCount;
        histogram.SampleSum = bins.SampleSum;
        foreach (var boundary in boundaries)
        {
            var bucket = Bucket.New();
            bucket.UpperBound = boundary;
            bucket.CumulativeCount = bins.CountBelow(boundary);
            histogram.Bucket.Add(bucket);
        }
        return histogram;
    }
}
