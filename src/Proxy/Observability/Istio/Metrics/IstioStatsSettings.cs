using MeshProxy.Proxy.Matching.Cel;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>A compiled istio.stats configuration; shared by all filters that have the same, and by all loops.</summary>
internal sealed class IstioStatsSettings
{
    public required IstioMetrics Metrics { get; init; }

    public required IstioReporter Reporter { get; init; }

    public required WorkloadMetadata Local { get; init; }

    public required bool DisableHostHeaderFallback { get; init; }

    /// <summary>How often long exchanges report; zero is only at their end.</summary>
    public required TimeSpan ReportInterval { get; init; }

    /// <summary>By <see cref="IstioMetric"/>; null is dropped.</summary>
    public required MetricPlan?[] Plans { get; init; }

    public required CustomMetric[] CustomMetrics { get; init; }

    /// <summary>Of labels and amounts; evaluated for each exchange.</summary>
    public required CelExpression[] Expressions { get; init; }

    /// <summary>By index of a loop.</summary>
    public required LabelCache[] Caches { get; init; }

    public MetricPlan? Plan(IstioMetric metric) => Plans[(int)metric];
}
