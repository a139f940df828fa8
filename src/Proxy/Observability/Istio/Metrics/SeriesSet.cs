namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>
/// The series of one set of labels, made at first use. Belongs to one loop; its series are shared. Long exchanges keep it:
/// series that expired meanwhile are made again.
/// </summary>
internal sealed class SeriesSet(IstioStatsSettings settings, string?[] labels, string[] expressions)
{
    // A metric of the configuration's own has the labels it is given there, and no others.
    private static readonly string?[] NoLabels = [];

    private readonly MetricSeries?[] _standard = new MetricSeries?[IstioMetricNames.Count];
    private readonly MetricSeries?[] _custom = new MetricSeries?[settings.CustomMetrics.Length];
    private int _generation = settings.Metrics.Generation;
    private string? _plainText;
    private KeyValuePair<string, string>[]? _plainLabels;
    private bool _folded;

    public void Add(IstioMetric metric, long amount)
    {
        if (Standard(metric) is { } series)
        {
            series.Counter!.Add(amount);
        }
    }

    public void Record(IstioMetric metric, double value)
    {
        if (Standard(metric) is { } series)
        {
            series.Histogram!.Record(value);
        }
    }

    /// <summary>The configuration's own metrics, at the end of an exchange.</summary>
    public void RecordCustom()
    {
        for (var i = 0; i < _custom.Length; i++)
        {
            var metric = settings.CustomMetrics[i];
            Renew();
            var series = _custom[i] ??= Make(metric.Plan, NoLabels);
            var amount = (long)ExpressionValues.Amount(expressions[metric.Expression]);
            series.Counter?.Add(amount);
            series.Gauge?.Set(amount);
            series.Histogram?.Record(amount);
        }
    }

    private MetricSeries? Standard(IstioMetric metric)
    {
        if (settings.Plan(metric) is not { } plan)
        {
            return null;
        }
        Renew();
        if (_folded)
        {
            settings.Metrics.CountFolded();
        }
        return _standard[(int)metric] ??= Make(plan, labels);
    }

    private void Renew()
    {
        var generation = settings.Metrics.Generation;
        if (generation == _generation)
        {
            return;
        }
        _generation = generation;
        // Found again at the next use, which keeps them; what is not used again expires.
        Array.Clear(_standard);
        Array.Clear(_custom);
    }

    private MetricSeries Make(MetricPlan plan, string?[] values)
    {
        var (made, text) = Labels(plan, values);
        if (settings.Metrics.Series(plan.Family, text, made) is { } series)
        {
            return series;
        }
        _folded = true;
        settings.Metrics.CountFolded();
        made = plan.Labels(values, expressions, folded: true);
        return settings.Metrics.FoldedSeries(plan.Family, MetricPlan.Text(made), made);
    }

    // Most metrics have the same labels: their text, the largest part of a series, is one.
    private (KeyValuePair<string, string>[] Labels, string Text) Labels(MetricPlan plan, string?[] values)
    {
        if (!plan.IsPlain || !ReferenceEquals(values, labels))
        {
            var own = plan.Labels(values, expressions, folded: false);
            return (own, MetricPlan.Text(own));
        }
        _plainLabels ??= plan.Labels(labels, expressions, folded: false);
        return (_plainLabels, _plainText ??= MetricPlan.Text(_plainLabels));
    }
}
