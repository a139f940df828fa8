using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>What a cluster counts only when asked to (Cluster.TrackClusterStats, and the older track_timeout_budgets).</summary>
/// <param name="Budgets">How much of its time-out a request took; null does not count.</param>
/// <param name="Sizes">Sizes of requests and responses; null does not count.</param>
/// <param name="PerEndpoint">Each endpoint has statistics of its own.</param>
public readonly record struct TrackedStats(StatBlock? Budgets, StatBlock? Sizes, bool PerEndpoint)
{
    private static readonly StatBlockLayout BudgetLayout = new(
    [
        ("upstream_rq_timeout_budget_percent_used", StatKind.Histogram),
        ("upstream_rq_timeout_budget_per_try_percent_used", StatKind.Histogram),
    ]);

    private static readonly StatBlockLayout SizeLayout = new(
    [
        ("upstream_rq_headers_size", StatKind.Histogram),
        ("upstream_rq_headers_count", StatKind.Histogram),
        ("upstream_rq_body_size", StatKind.Histogram),
        ("upstream_rs_headers_size", StatKind.Histogram),
        ("upstream_rs_headers_count", StatKind.Histogram),
        ("upstream_rs_body_size", StatKind.Histogram),
    ]);

    public static TrackedStats Compile(Envoy.Config.Cluster.V3.Cluster definition, IStatsScope scope)
    {
        var tracked = definition.TrackClusterStats;
        var budgets = definition.TrackTimeoutBudgets || tracked is { TimeoutBudgets: true };
        return new TrackedStats(
            budgets ? scope.Block(BudgetLayout) : null,
            tracked is { RequestResponseSizes: true } ? scope.Block(SizeLayout) : null,
            tracked is { PerEndpointStats: true });
    }

    public void RecordRequestTime(long nanoseconds, TimeSpan timeout) => Budgets?.Record(0, Share(nanoseconds, timeout));

    public void RecordTryTime(long nanoseconds, TimeSpan timeout) => Budgets?.Record(1, Share(nanoseconds, timeout));

    public void RecordRequest(HeaderMap headers, long bodyBytes) => Record(0, headers, bodyBytes);

    public void RecordResponse(HeaderMap headers, long bodyBytes) => Record(3, headers, bodyBytes);

    private void Record(int first, HeaderMap headers, long bodyBytes)
    {
        if (Sizes is { } sizes)
        {
            sizes.Record(first, headers.ByteSize);
            sizes.Record(first + 1, headers.Count);
            sizes.Record(first + 2, bodyBytes);
        }
    }

    // Without a limit nothing of it was used.
    private static double Share(long nanoseconds, TimeSpan timeout) =>
        timeout > TimeSpan.Zero ? (double)(nanoseconds / TimeSpan.NanosecondsPerTick) / timeout.Ticks : 0;
}
