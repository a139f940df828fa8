using MeshProxy.Proxy.Admin;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Server;

/// <summary>`server.…`: the process as a whole (observability 7.5). Gauges are read from the process when they are shown.</summary>
internal sealed class ServerStats : IStatSource
{
    /// <summary>What Envoy shows while nothing expires.</summary>
    private const long Never = uint.MaxValue;

    private static readonly StatBlockLayout Counters = new(
    [
        ("debug_assertion_failures", StatKind.Counter), ("envoy_bug_failures", StatKind.Counter),
        ("static_unknown_fields", StatKind.Counter), ("dynamic_unknown_fields", StatKind.Counter), ("wip_protos", StatKind.Counter),
        ("dropped_stat_flushes", StatKind.Counter), ("initialization_time_ms", StatKind.Histogram),
    ]);

    private static readonly (string Name, Func<ServerStats, long> Read)[] Gauges =
    [
        ("uptime", static stats => (long)(DateTime.UtcNow - stats._start).TotalSeconds),
        ("concurrency", static stats => stats._concurrency),
        ("memory_allocated", static _ => ProcessMemory.Allocated),
        ("memory_heap_size", static _ => ProcessMemory.HeapSize),
        ("memory_physical_size", static _ => ProcessMemory.Physical),
        ("live", static stats => stats.State() == ServerState.Draining ? 0 : 1),
        ("state", static stats => (long)stats.State()),
        ("parent_connections", static _ => 0),
        ("total_connections", static stats => stats.Connections()),
        ("version", static _ => ServerVersion.AsNumber),
        ("days_until_first_cert_expiring", static stats => stats.DaysUntilExpiry() ?? Never),
        ("seconds_until_first_ocsp_response_expiring", static _ => 0),
        ("hot_restart_epoch", static _ => 0),
        ("hot_restart_generation", static _ => 1),
        ("stats_recent_lookups", static _ => 0),
        ("compilation_settings.fips_mode", static _ => 0),
    ];

    private static readonly StatBlockLayout Observed = new([.. Gauges.Select(gauge => (gauge.Name, StatKind.Gauge))]);

    private readonly StatBlock _counters;
    private readonly DateTime _start;
    private readonly int _concurrency;

    public ServerStats(IStatsScope root, DateTime start, int concurrency)
    {
        var scope = root.Scope("server");
        _counters = scope.Block(Counters);
        scope.Observe(Observed, this);
        _start = start;
        _concurrency = concurrency;
    }

    public required Func<ServerState> State { get; init; }

    /// <summary>Open connections of all listeners.</summary>
    public required Func<long> Connections { get; init; }

    /// <summary>Of the certificate in use that ends first; null when there is none.</summary>
    public required Func<long?> DaysUntilExpiry { get; init; }

    public long Read(int index) => Gauges[index].Read(this);

    public void Initialized(TimeSpan took) => _counters.Record(6, took.TotalMilliseconds);

    public void StaticUnknownField() => _counters.Inc(2);
}
