using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>All series of one metric name and kind.</summary>
/// <param name="name">With the prefix `istio_`.</param>
internal sealed class MetricFamily(string name, StatKind kind, StatsScope root)
{
    /// <summary>Cut off where metrics are shown to Prometheus.</summary>
    private const string Namespace = "istiocustom";

    private readonly StatsScope _scope = (StatsScope)root.Scope($"{Namespace}.{name}");
    private readonly Dictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly string _extractedName = $"{Namespace}.{name}";

    public StatKind Kind => kind;

    /// <summary>Finds or makes; null when there are <paramref name="limit"/> already.</summary>
    /// <param name="labelText">The labels as part of the name.</param>
    public MetricSeries? Get(string labelText, KeyValuePair<string, string>[] labels, int generation, long limit)
    {
        lock (_series)
        {
            if (_series.TryGetValue(labelText, out var known) && known.Touch(generation))
            {
                return known;
            }
            if (_series.Count >= limit)
            {
                return null;
            }
            var tags = new StatTags(_extractedName, labels);
            var made = new MetricSeries
            {
                Family = this,
                LabelText = labelText,
                Counter = kind == StatKind.Counter ? _scope.Counter(labelText, tags) : null,
                Gauge = kind == StatKind.Gauge ? _scope.Gauge(labelText, tags) : null,
                Histogram = kind == StatKind.Histogram ? _scope.Histogram(labelText, tags) : null,
            };
            made.Touch(generation);
            _series[labelText] = made;
            return made;
        }
    }

    /// <summary>Drops the series that were not used since <paramref name="generation"/> began.</summary>
    public void Expire(int generation)
    {
        lock (_series)
        {
            foreach (var (labelText, series) in _series)
            {
                if (series.TryExpire(generation))
                {
                    _series.Remove(labelText);
                    _scope.Remove(labelText, kind);
                }
            }
        }
    }
}
