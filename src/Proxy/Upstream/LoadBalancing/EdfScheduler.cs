namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>
/// Earliest deadline first: each pick takes the entry with the nearest deadline and puts it back 1/weight later, so that
/// entries come in proportion to their weights and evenly spread. Ties go in order of insertion.
/// </summary>
internal sealed class EdfScheduler<T>
{
    private readonly PriorityQueue<T, (double Deadline, ulong Order)> _queue;
    private double _time;
    private ulong _order;
    private Queue<T>? _peeked;

    public EdfScheduler(int capacity) => _queue = new(capacity);

    public bool IsEmpty => _queue.Count == 0;

    /// <summary>Entries peeked at and not yet picked.</summary>
    public int Peeked => _peeked?.Count ?? 0;

    public void Add(double weight, T entry) => _queue.Enqueue(entry, (_time + (1 / weight), _order++));

    /// <summary>Picks the next entry and puts it back with its present weight.</summary>
    public T PickAndAdd(Func<T, double> weight) =>
        _peeked is { Count: > 0 } peeked ? peeked.Dequeue() : Advance(weight);

    /// <summary>The entry after those already peeked at; later picks give them in this order.</summary>
    public T PeekAgain(Func<T, double> weight)
    {
        var entry = Advance(weight);
        (_peeked ??= new Queue<T>()).Enqueue(entry);
        return entry;
    }

    private T Advance(Func<T, double> weight)
    {
        _queue.TryPeek(out var entry, out var place);
        _time = place.Deadline;
        _queue.DequeueEnqueue(entry!, (_time + (1 / weight(entry!)), _order++));
        return entry!;
    }

    /// <summary>
    /// Fills a schedule and advances it by <paramref name="picks"/>, so that the balancers of several proxies do not all begin
    /// with the same entry.
    /// </summary>
    public static EdfScheduler<T> CreateWithPicks(IReadOnlyList<T> entries, Func<T, double> weight, ulong picks)
    {
        var scheduler = new EdfScheduler<T>(entries.Count);
        foreach (var entry in entries)
        {
            scheduler.Add(weight(entry), entry);
        }
        if (entries.Count > 0)
        {
            for (var left = picks % (ulong)entries.Count; left > 0; left--)
            {
                scheduler.PickAndAdd(weight);
            }
        }
        return scheduler;
    }
}
