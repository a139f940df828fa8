using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>
/// All Istio metrics of the process. A series is made when it first counts, is bounded in number, and goes when it was not used
/// for a while, if the bootstrap says how long (stats_eviction_interval).
/// </summary>
internal sealed class IstioMetrics
{
    /// <summary>Runtime key: how many series a metric may have before further ones count into one whose labels say `other`.</summary>
    private const string LimitKey = "istio_stats.max_series_per_metric";

    // About 30 MB of series; a mesh that needs more has a label with unbounded values.
    private const ulong DefaultLimit = 10_000;

    private readonly StatsScope _root;
    private readonly EventLoop _mainLoop;
    private readonly IRuntime _runtime;
    private readonly Dictionary<(string, StatKind), MetricFamily> _families = [];
    private readonly Counter _folded;
    private LoopTimer? _expiry;
    private TimeSpan _interval;
    private int _generation;

    private IstioMetrics(FactoryContext context)
        : this((StatsScope)context.ServerScope, context.MainLoop, context.Runtime)
    {
    }

    internal IstioMetrics(StatsScope root, EventLoop mainLoop, IRuntime runtime)
    {
        _root = root;
        _mainLoop = mainLoop;
        _runtime = runtime;
        _folded = root.Counter("istio_stats.folded_records");
    }

    /// <summary>Grows with every sweep; a series stays while each generation uses it.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>The one of the server.</summary>
    public static IstioMetrics Of(FactoryContext context) =>
        context.Singletons.Get("istio.metrics", () => new IstioMetrics(context));

    public MetricFamily Family(string name, StatKind kind)
    {
        lock (_families)
        {
            if (!_families.TryGetValue((name, kind), out var family))
            {
                _families[(name, kind)] = family = new MetricFamily(name, kind, _root);
            }
            return family;
        }
    }

    public MetricSeries? Series(MetricFamily family, string labelText, KeyValuePair<string, string>[] labels) =>
        family.Get(labelText, labels, Generation, (long)_runtime.GetInteger(LimitKey, DefaultLimit));

    /// <summary>A series that stands in for those beyond the limit.</summary>
    public MetricSeries FoldedSeries(MetricFamily family, string labelText, KeyValuePair<string, string>[] labels) =>
        family.Get(labelText, labels, Generation, long.MaxValue)!;

    /// <summary>Something was counted in a series that stands in for others.</summary>
    public void CountFolded() => _folded.Inc();

    /// <summary>Series unused for this long go; of several wishes the shortest counts. Main loop.</summary>
    public void ExpireAfter(TimeSpan interval)
    {
        if (interval <= TimeSpan.Zero || (_interval > TimeSpan.Zero && _interval <= interval))
        {
            return;
        }
        _interval = interval;
        _expiry ??= _mainLoop.CreateTimer(Sweep);
        _expiry.Arm(interval);
    }

    /// <summary>Ends a generation: what was not used in it goes.</summary>
    internal void Sweep()
    {
        var ended = Interlocked.Increment(ref _generation) - 1;
        MetricFamily[] families;
        lock (_families)
        {
            families = [.. _families.Values];
        }
        foreach (var family in families)
        {
            family.Expire(ended);
        }
        _expiry?.Arm(_interval);
    }
}
