namespace MeshProxy.Demo.Traffic;

/// <summary>Collects the outcome of requests; used by many callers at once.</summary>
public sealed class TrafficRecorder
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, List<long>> _ticks = new(StringComparer.Ordinal);
    private readonly List<Waiter> _waiters = [];
    private int _answers;
    private int _failures;
    private string _firstFailure = "";

    /// <summary>An answer of this version, after this time.</summary>
    public void Answer(string version, TimeSpan time)
    {
        lock (_lock)
        {
            if (!_ticks.TryGetValue(version, out var ticks)) _ticks[version] = ticks = [];
            ticks.Add(time.Ticks);
            _answers++;
            Tell();
        }
    }

    /// <summary>A request that failed.</summary>
    public void Failure(string what)
    {
        lock (_lock)
        {
            if (_failures++ == 0) _firstFailure = what;
            Tell();
        }
    }

    /// <summary>Waits until this many requests were answered and this many failed.</summary>
    public async Task WaitAsync(int answers, int failures, CancellationToken cancellation)
    {
        var waiter = new Waiter(
            answers, failures, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_lock)
        {
            _waiters.Add(waiter);
            Tell();
        }

        await waiter.Reached.Task.WaitAsync(cancellation);
    }

    /// <summary>What was collected so far.</summary>
    public TrafficFigures Figures()
    {
        lock (_lock)
        {
            var all = Math.Max(1, _ticks.Values.Sum(t => t.Count));
            return new TrafficFigures(
                [.. _ticks.Select(v => Summary(v.Key, v.Value, all))], _failures, _firstFailure);
        }
    }

    private void Tell()
    {
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (_waiters[i].Answers > _answers || _waiters[i].Failures > _failures) continue;
            _waiters[i].Reached.SetResult();
            _waiters.RemoveAt(i);
        }
    }

    private static VersionFigures Summary(string version, List<long> ticks, int all)
    {
        var sorted = ticks.Order().ToList();
        return new VersionFigures(
            version, sorted.Count, (double)sorted.Count / all, At(sorted, 0.50), At(sorted, 0.99));
    }

    private static TimeSpan At(List<long> sorted, double part) =>
        TimeSpan.FromTicks(sorted[(int)(part * (sorted.Count - 1))]);

    private sealed record Waiter(int Answers, int Failures, TaskCompletionSource Reached);
}
