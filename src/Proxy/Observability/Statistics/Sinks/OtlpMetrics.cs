using Envoy.Extensions.StatSinks.OpenTelemetry.V3;
using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Xds.Protobuf;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Metrics.V1;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Statistics as metrics of OpenTelemetry, one data point each.</summary>
internal sealed class OtlpMetrics(SinkConfig config)
{
    private readonly string _prefix = config.Prefix.Length > 0 ? config.Prefix + "." : "";
    private readonly bool _tags = config.EmitTagsAsAttributes ?? true;
    private readonly bool _extractedNames = config.UseTagExtractedName ?? true;

    /// <summary>Null for what is no number.</summary>
    public Metric? Of(StatsSnapshot snapshot, in SnapshotStat stat)
    {
        var metric = Metric.New();
        var tags = new List<KeyValuePair<string, string>>();
        var extracted = snapshot.Store.Extract(stat.Stat.Name, stat.Stat.Tags, tags);
        metric.Name = _prefix + (_extractedNames ? extracted : stat.Stat.Name);
        switch (stat.Stat.Kind)
        {
            case StatKind.Counter:
                var sum = Sum.New();
                sum.IsMonotonic = true;
                sum.AggregationTemporality = Temporality(config.ReportCountersAsDeltas);
                sum.DataPoints.Add(Point(snapshot, config.ReportCountersAsDeltas ? stat.Delta : stat.Stat.Value, tags));
                metric.Sum = sum;
                return metric;
            case StatKind.Gauge:
                var gauge = Opentelemetry.Proto.Metrics.V1.Gauge.New();
                gauge.DataPoints.Add(Point(snapshot, stat.Stat.Value, tags));
                metric.Gauge = gauge;
                return metric;
            case StatKind.Histogram when stat.Stat.Histogram is { } merged:
                var histogram = Opentelemetry.Proto.Metrics.V1.Histogram.New();
                histogram.AggregationTemporality = Temporality(config.ReportHistogramsAsDeltas);
                histogram.DataPoints.Add(HistogramPoint(
                    snapshot, config.ReportHistogramsAsDeltas ? merged.Interval : merged.Cumulative,
                    snapshot.Store.Buckets.For(stat.Stat.Name), tags));
                metric.Histogram = histogram;
                return metric;
            default:
                return null;
        }
    }

    private static AggregationTemporality Temporality(bool deltas) =>
        deltas ? AggregationTemporality.Delta : AggregationTemporality.Cumulative;

    private NumberDataPoint Point(StatsSnapshot snapshot, long value, List<KeyValuePair<string, string>> tags)
    {
        var point = NumberDataPoint.New();
        point.StartTimeUnixNano = OtlpAttributes.UnixNanoseconds(snapshot.Previous);
        point.TimeUnixNano = OtlpAttributes.UnixNanoseconds(snapshot.Time);
        point.AsInt = value;
        AddTags(point.Attributes, tags);
        return point;
    }

    private HistogramDataPoint HistogramPoint(
        StatsSnapshot snapshot, HistogramBins bins, double[] boundaries, List<KeyValuePair<string, string>> tags)
    {
        var point = HistogramDataPoint.New();
        point.StartTimeUnixNano = OtlpAttributes.UnixNanoseconds(snapshot.Previous);
        point.TimeUnixNano = OtlpAttributes.UnixNanoseconds(snapshot.Time);
        var total = bins.SampleCount;
        point.Count = total;
        point.Sum = bins.SampleSum;
        var below = 0UL;
        foreach (var boundary in boundaries)
        {
            var upTo = bins.CountBelow(boundary);
            point.ExplicitBounds.Add(boundary);
            point.BucketCounts.Add(upTo - below);
            below = upTo;
        }
        point.BucketCounts.Add(total - below);
        AddTags(point.Attributes, tags);
        return point;
    }

    private void AddTags(MessageList<KeyValue> attributes, List<KeyValuePair<string, string>> tags)
    {
        if (!_tags)
        {
            return;
        }
        foreach (var (name, value) in tags)
        {
            OtlpAttributes.Add(attributes, name, value);
        }
    }
}
