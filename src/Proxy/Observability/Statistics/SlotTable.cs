using System.Diagnostics.CodeAnalysis;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// Integers with one array a loop, made and grown by that loop alone, so that adding is a plain addition without atomics;
/// a reader sums the arrays. Threads without a loop share a last array under a lock. Nothing is allocated until the first write.
/// </summary>
internal class SlotTable(int loopCount)
{
    private long[]?[]? _arrays;
    private Dictionary<int, long>? _baselines;

    /// <summary>Slots that are given out: how long a loop's array is made.</summary>
    protected int SlotCount { get; set; }

    public bool Materialised => _arrays is not null;

    public void Add(int slot, long amount)
    {
        var loop = EventLoop.Current;
        if (loop is null || (uint)loop.Index >= (uint)loopCount)
        {
            AddShared(slot, amount);
            return;
        }
        OwnArray(loop.Index, slot)[slot] += amount;
    }

    /// <summary>Adds to a gauge and marks it as used in the slot after it.</summary>
    public void AddGauge(int slot, long amount)
    {
        var loop = EventLoop.Current;
        if (loop is null || (uint)loop.Index >= (uint)loopCount)
        {
            AddShared(slot, amount);
            AddShared(slot + 1, 1);
            return;
        }
        var array = OwnArray(loop.Index, slot + 1);
        array[slot] += amount;
        array[slot + 1] = 1;
    }

    /// <summary>Makes the sum equal <paramref name="value"/>. Two setters exclude each other; who sets a gauge should not also add to it from another loop.</summary>
    public void SetGauge(int slot, long value)
    {
        lock (this)
        {
            AddGauge(slot, value - Sum(slot));
        }
    }

    public long Sum(int slot)
    {
        var total = 0L;
        foreach (var array in _arrays ?? [])
        {
            if (array is not null && slot < array.Length)
            {
                total += array[slot];
            }
        }
        return total;
    }

    /// <summary>A counter's sum since it was last reset.</summary>
    public long CounterValue(int slot)
    {
        var total = Sum(slot);
        return _baselines is { } baselines && baselines.TryGetValue(slot, out var baseline) ? total - baseline : total;
    }

    /// <summary>Resets by remembering the sum: the arrays belong to their loops.</summary>
    public void ResetCounter(int slot)
    {
        var total = Sum(slot);
        if (total == 0)
        {
            return;
        }
        lock (this)
        {
            // Replaced, not changed: readers take no lock.
            _baselines = new Dictionary<int, long>(_baselines ?? []) { [slot] = total };
        }
    }

    /// <summary>Zeroes slots that nobody writes, to be given to another stat.</summary>
    protected void Clear(int first, int count)
    {
        lock (this)
        {
            foreach (var array in _arrays ?? [])
            {
                for (var slot = first; array is not null && slot < first + count && slot < array.Length; slot++)
                {
                    array[slot] = 0;
                }
            }
            if (_baselines is { } baselines && baselines.ContainsKey(first))
            {
                var without = new Dictionary<int, long>(baselines);
                without.Remove(first);
                _baselines = without;
            }
        }
    }

    private long[] OwnArray(int index, int slot)
    {
        var arrays = _arrays ?? Materialise();
        var array = arrays[index];
        return array is not null && slot < array.Length ? array : Grow(arrays, index, slot);
    }

    private void AddShared(int slot, long amount)
    {
        lock (this)
        {
            var arrays = _arrays ?? Materialise();
            var array = arrays[loopCount];
            if (array is null || slot >= array.Length)
            {
                array = Grow(arrays, loopCount, slot);
            }
            array[slot] += amount;
        }
    }

    [MemberNotNull(nameof(_arrays))]
    private long[]?[] Materialise()
    {
        Interlocked.CompareExchange(ref _arrays, new long[loopCount + 1][], null);
        return _arrays!;
    }

    private long[] Grow(long[]?[] arrays, int index, int slot)
    {
        var old = arrays[index];
        var grown = new long[Math.Max(Math.Max(SlotCount, slot + 1), old is null ? 0 : old.Length * 2)];
        old?.CopyTo(grown, 0);
        Volatile.Write(ref arrays[index], grown);
        return grown;
    }
}
