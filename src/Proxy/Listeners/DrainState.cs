using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Listeners;

/// <summary>--drain-strategy.</summary>
public enum DrainStrategy
{
    /// <summary>The chance that a response ends its connection rises from 0 to 1 over the drain time.</summary>
    Gradual,
    Immediate,
}

/// <summary>
/// Whether the connections of one owner (process, listener, filter chain) are to end, and since when. An owner drains when
/// its parent does. Written by the main loop, read by all.
/// </summary>
public sealed class DrainState(DrainState? parent, DrainStrategy strategy, TimeSpan drainTime) : IDrainDecision
{
    private const long NotStarted = -1;

    private long _start = NotStarted;
    private long _inboundStart = NotStarted;

    /// <summary>Drains too while `/healthcheck/fail` holds (listeners with drain_type DEFAULT); null otherwise.</summary>
    public ServerHealth? Health { get; init; }

    /// <summary>A listener of traffic direction INBOUND: `/drain_listeners?inboundonly` is meant for it.</summary>
    public bool Inbound { get; init; }

    public TimeSpan DrainTime => drainTime;

    public bool DrainClose => Closes(Inbound);

    /// <summary>Whether the drain has begun, of all or at least of what is inbound.</summary>
    public bool Draining(bool inboundOnly) =>
        Volatile.Read(ref _start) >= 0 || (inboundOnly && Volatile.Read(ref _inboundStart) >= 0);

    /// <summary>Begins the drain; a second call changes nothing.</summary>
    public void Start(bool inboundOnly = false)
    {
        ref var start = ref inboundOnly ? ref _inboundStart : ref _start;
        if (start == NotStarted)
        {
            Volatile.Write(ref start, Environment.TickCount64);
        }
    }

    private bool Closes(bool inbound) =>
        Health is { Failed: true }
        || Draws(Volatile.Read(ref _start))
        || (inbound && Draws(Volatile.Read(ref _inboundStart)))
        || (parent?.Closes(inbound || parent.Inbound) ?? false);

    private bool Draws(long start)
    {
        if (start < 0)
        {
            return false;
        }
        if (strategy == DrainStrategy.Immediate || drainTime <= TimeSpan.Zero)
        {
            return true;
        }
        var elapsed = Environment.TickCount64 - start;
        return elapsed >= drainTime.TotalMilliseconds
            || Random.Shared.NextDouble() * drainTime.TotalMilliseconds < elapsed;
    }
}
