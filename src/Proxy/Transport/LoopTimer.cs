namespace MeshProxy.Proxy.Transport;

/// <summary>
/// A timer of one loop; armed again it moves. Resolution 1 ms. Cheap to arm and disarm per request (timer wheel): one that is
/// armed again for later only notes the time, and moves when the earlier one comes.
/// </summary>
public sealed class LoopTimer
{
    private readonly EventLoop _loop;
    private readonly Action<object?> _onFire;
    private readonly object? _state;
    private long _due;

    internal LoopTimer(EventLoop loop, Action<object?> onFire, object? state)
    {
        _loop = loop;
        _onFire = onFire;
        _state = state;
    }

    internal LoopTimer? Next { get; set; }

    internal LoopTimer? Previous { get; set; }

    internal long Expiry { get; set; }

    /// <summary>Position in the wheel; -1 when not armed.</summary>
    internal int Slot { get; set; } = -1;

    public bool IsArmed => Slot >= 0;

    /// <summary>Fires once after <paramref name="delay"/>; zero fires in the next turn.</summary>
    public void Arm(TimeSpan delay)
    {
        // A turn's clock is read at its start: rounding up keeps a timer from firing early.
        var (milliseconds, rest) = Math.DivRem(Math.Max(0, delay.Ticks), TimeSpan.TicksPerMillisecond);
        _due = _loop.Now + milliseconds + (rest > 0 ? 1 : 0);
        if (IsArmed)
        {
            if (_due >= Expiry)
            {
                return;
            }
            _loop.Timers.Remove(this);
        }
        _loop.Timers.Insert(this, _due);
    }

    public void Disarm()
    {
        if (IsArmed)
        {
            _loop.Timers.Remove(this);
        }
    }

    internal void Fire()
    {
        if (_due > _loop.Now)
        {
            _loop.Timers.Insert(this, _due);
            return;
        }
        _onFire(_state);
    }
}
