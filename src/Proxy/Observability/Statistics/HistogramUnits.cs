namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>What the samples of a histogram are, by its name: all but these are milliseconds, bytes or plain numbers.</summary>
internal static class HistogramUnits
{
    /// <summary>Shares are recorded as millionths (Envoy's PercentScale) and shown from 0 to 1.</summary>
    public const double PercentScale = 1_000_000;

    /// <summary>Timeout budgets: `upstream_rq_timeout_budget_percent_used` and the same per try.</summary>
    public static bool IsPercent(string name) => name.EndsWith("percent_used", StringComparison.Ordinal);

    public static bool IsMicroseconds(string name) => name.EndsWith("_us", StringComparison.Ordinal);
}
