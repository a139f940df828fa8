namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>A metric of the configuration's own: what an expression gives at the end of each exchange.</summary>
/// <param name="Expression">Index of the expression of its amount.</param>
internal sealed record CustomMetric(MetricPlan Plan, int Expression);
