using MeshProxy.Proxy.Transport;

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
    private long _startMilliseconds = -1;

    /// <summary>Ignores the parent's drain when that comes from /healthcheck/fail (drain_type MODIFY_ONLY).</summary>
    public bool IgnoreHealthCheckFail { get; init; }

    /// <summary>Set on the process's state by /healthcheck/fail.</summary>
    public bool HealthCheckFailed { get; set; }

    public bool Draining => Volatile.Read(ref _startMilliseconds) >= 0;

    public TimeSpan DrainTime => drainTime;

    public bool DrainClose => Draws() || HealthFail() || (parent?.Draws() ?? false) || (parent?.ParentDraws ?? false);

    private bool ParentDraws => parent?.Draws() ?? false;

    /// <summary>Begins the drain; a second call changes nothing.</summary>
    public void Start()
    {
        if (!Draining)
        {
            Volatile.Write(ref _startMilliseconds, Environment.TickCount64);
        }
    }

    private bool HealthFail() => !IgnoreHealthCheckFail && (HealthCheckFailed || (parent?.HealthFail() ?? false));

    private bool Draws()
    {
        var start = Volatile.Read(ref _startMilliseconds);
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
