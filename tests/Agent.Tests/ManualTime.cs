using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>Time that passes when a test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<Wait> _waits = [];
    private readonly SemaphoreSlim _begun = new(0);
    private DateTimeOffset _now = System.GetUtcNow();

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    /// <summary>Waits until somebody waits, lets that time pass, and gives how long it was.</summary>
    public async Task<TimeSpan> PassNextAsync()
    {
        Assert.True(await _begun.WaitAsync(Patience), "nobody waited");
        Wait next;
        lock (_lock)
        {
            next = _waits.MinBy(w => w.Due)!;
            _waits.Remove(next);
            _now = next.Due;
        }
        next.Callback(next.State);
        return next.Length;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            var wait = new Wait(this, callback, state, dueTime, _now + dueTime);
            _waits.Add(wait);
            _begun.Release();
            return wait;
        }
    }

    private sealed class Wait(ManualTime time, TimerCallback callback, object? state, TimeSpan length, DateTimeOffset due)
        : ITimer
    {
        public TimerCallback Callback { get; } = callback;

        public object? State { get; } = state;

        public TimeSpan Length { get; } = length;

        public DateTimeOffset Due { get; } = due;

        // Delays are neither changed nor repeated.
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
            lock (time._lock) time._waits.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
