namespace MeshProxy.Proxy.Transport;

/// <summary>A timer of one loop; armed again it moves. Resolution 1 ms. Cheap to arm and disarm per request (timer wheel).</summary>
public sealed class LoopTimer
{
    private readonly EventLoop _loop;
    private readonly Action _onFire;

    internal LoopTimer(EventLoop loop, Action onFire)
    {
        _loop = loop;
        _onFire = onFire;
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
        if (IsArmed)
        {
            _loop.Timers.Remove(this);
        }
        // A turn's clock is read at its start: rounding up keeps a timer from firing early.
        var milliseconds = Math.Max(0, (long)Math.Ceiling(delay.TotalMilliseconds));
        _loop.Timers.Insert(this, _loop.Now + milliseconds);
    }

    public void Disarm()
    {
        if (IsArmed)
        {
            _loop.Timers.Remove(this);
        }
    }

    internal void Fire() => _onFire();
}
