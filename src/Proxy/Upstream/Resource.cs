using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream;

/// <summary>A counted limit.</summary>
public sealed class Resource
{
    private readonly IRuntime? _runtime;
    private readonly string? _key;
    private readonly ulong _configured;
    private ulong _max;
    private long _generation = -1;
    private long _count;
    private volatile bool _changed;

    internal Resource(ulong max, IRuntime? runtime, string runtimePrefix, string name)
    {
        _configured = _max = max;
        _runtime = runtime;
        _key = runtime is null ? null : runtimePrefix + name;
    }

    public ulong Max
    {
        get
        {
            if (_runtime is not null && _runtime.Generation != Volatile.Read(ref _generation))
            {
                var generation = _runtime.Generation;
                Volatile.Write(ref _max, _runtime.GetInteger(_key!, _configured));
                Volatile.Write(ref _generation, generation);
            }
            return Volatile.Read(ref _max);
        }
    }

    public ulong Count => (ulong)Math.Max(0, Interlocked.Read(ref _count));

    public ulong Remaining => Max > Count ? Max - Count : 0;

    public bool CanCreate => Count < Max;

    /// <summary>At its limit, as the gauges tell it: never before it first counted, whatever the limit.</summary>
    public bool ShownOpen => _changed && !CanCreate;

    public void Inc()
    {
        _changed = true;
        Interlocked.Increment(ref _count);
    }

    /// <summary>Counts one more unless the limit is reached; exact although other loops do the same.</summary>
    public bool TryInc()
    {
        if ((ulong)Interlocked.Increment(ref _count) <= Max)
        {
            _changed = true;
            return true;
        }
        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Dec() => Interlocked.Decrement(ref _count);
}
