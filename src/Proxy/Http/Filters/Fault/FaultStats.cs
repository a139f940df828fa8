using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>`http.PREFIX.fault.`; how many faults are active is one number for all loops, since it limits them.</summary>
internal sealed class FaultStats(IStatsScope scope)
{
    private readonly Gauge _active = scope.Gauge("active_faults");
    private long _count;

    public Counter Aborts { get; } = scope.Counter("aborts_injected");

    public Counter Delays { get; } = scope.Counter("delays_injected");

    public Counter Overflow { get; } = scope.Counter("faults_overflow");

    public Counter RateLimits { get; } = scope.Counter("response_rl_injected");

    /// <summary>Of a calling cluster (x-envoy-downstream-service-cluster): `CLUSTER.aborts_injected` and so on.</summary>
    public Counter OfCaller(string cluster, string what) => scope.Counter($"{cluster}.{what}");

    public bool TryBegin(ulong limit)
    {
        if ((ulong)Interlocked.Increment(ref _count) > limit)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }
        _active.Inc();
        return true;
    }

    public void End()
    {
        Interlocked.Decrement(ref _count);
        _active.Dec();
    }
}
