namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>One metric with one set of labels, as all loops write it.</summary>
internal sealed class MetricSeries
{
    private int _lastUsed;
    private bool _removed;

    public required MetricFamily Family { get; init; }

    /// <summary>Its labels as part of its name.</summary>
    public required string LabelText { get; init; }

    public Counter? Counter { get; init; }

    public Gauge? Gauge { get; init; }

    public Histogram? Histogram { get; init; }

    /// <summary>Says that it is in use in this generation; false when it is gone already and must be made again.</summary>
    public bool Touch(int generation)
    {
        lock (this)
        {
            _lastUsed = generation;
            return !_removed;
        }
    }

    /// <summary>Takes it out of use unless it was used in <paramref name="generation"/> or later.</summary>
    public bool TryExpire(int generation)
    {
        lock (this)
        {
            return _removed = _removed || _lastUsed - generation < 0;
        }
    }
}
