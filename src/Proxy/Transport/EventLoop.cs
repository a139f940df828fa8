namespace MeshProxy.Proxy.Transport;

/// <summary>
/// One thread, one epoll, one timer wheel. Everything of a connection happens on its loop. The process has a "main" loop
/// (configuration, xDS, health checks, admin) and one loop a worker (traffic).
/// </summary>
public sealed class EventLoop
{
    [ThreadStatic]
    private static EventLoop? t_current;

    public EventLoop(string name, int index)
    {
        Name = name;
        Index = index;
    }

    internal void Enter() => t_current = this;

    /// <summary>The loop of the calling thread; null on others.</summary>
    public static EventLoop? Current => t_current;

    /// <summary>"main_thread", "worker_0", … as Envoy names its dispatchers (%WORKER_ID%, stats).</summary>
    public string Name { get; }

    /// <summary>0 is the main loop, workers follow; index of per-loop arrays.</summary>
    public int Index { get; }

    /// <summary>Monotonic milliseconds, read once a turn.</summary>
    public long Now => throw new NotSupportedException();

    /// <summary>Monotonic nanoseconds now; a clock read, for durations that are reported.</summary>
    public static long NowNanoseconds => throw new NotSupportedException();

    /// <summary>Wall clock, read once a turn.</summary>
    public DateTime UtcNow => throw new NotSupportedException();

    /// <summary>Runs <paramref name="work"/> on this loop, in order of posting; from any thread.</summary>
    public void Post(Action work) => throw new NotSupportedException();

    /// <summary>As <see cref="Post(Action)"/> without a closure.</summary>
    public void Post(Action<object?> work, object? state) => throw new NotSupportedException();

    /// <summary>Runs <paramref name="work"/> at the end of this turn (deferred deletion, batched flushes); on the loop only.</summary>
    public void Defer(Action work) => throw new NotSupportedException();

    public LoopTimer CreateTimer(Action onFire) => throw new NotSupportedException();
}
