using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>`outlier_detection.…` of one cluster.</summary>
internal sealed class OutlierStats : IStatSource
{
    // The order of EjectionType.
    private static readonly string[] TypeNames =
    [
        "consecutive_5xx",
        "consecutive_gateway_failure",
        "success_rate",
        "consecutive_local_origin_failure",
        "local_origin_success_rate",
        "failure_percentage",
        "local_origin_failure_percentage",
    ];

    private static readonly StatBlockLayout Counters = new(
    [
        .. TypeNames.Select(static name => ("ejections_detected_" + name, StatKind.Counter)),
        .. TypeNames.Select(static name => ("ejections_enforced_" + name, StatKind.Counter)),
        ("ejections_enforced_total", StatKind.Counter),
        ("ejections_overflow", StatKind.Counter),
        ("ejections_total", StatKind.Counter),
        ("ejections_consecutive_5xx", StatKind.Counter),
        ("ejections_success_rate", StatKind.Counter),
    ]);

    private static readonly StatBlockLayout Gauges = new([("ejections_active", StatKind.Gauge)]);

    private readonly StatBlock _counters;
    private int _active;

    public OutlierStats(IStatsScope cluster)
    {
        var scope = cluster.Scope("outlier_detection");
        _counters = scope.Block(Counters);
        scope.Observe(Gauges, this);
    }

    public int Active => Volatile.Read(ref _active);

    public long Read(int index) => Active;

    public void ChangeActive(int change) => Interlocked.Add(ref _active, change);

    public void Detected(EjectionType type)
    {
        _counters.Inc((int)type);
        // Deprecated twins that old dashboards read.
        if (type == EjectionType.Consecutive5xx)
        {
            _counters.Inc((2 * TypeNames.Length) + 3);
        }
        else if (type == EjectionType.SuccessRate)
        {
            _counters.Inc((2 * TypeNames.Length) + 4);
        }
    }

    public void Enforced(EjectionType type)
    {
        _counters.Inc(TypeNames.Length + (int)type);
        _counters.Inc(2 * TypeNames.Length);
    }

    public void Overflow() => _counters.Inc((2 * TypeNames.Length) + 1);

    public void Total() => _counters.Inc((2 * TypeNames.Length) + 2);
}
