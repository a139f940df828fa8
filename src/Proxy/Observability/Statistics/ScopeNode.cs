namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>What was made under one prefix; shared by all scopes of that prefix and dropped with the last of them.</summary>
internal sealed class ScopeNode(StatsStore store, string prefix, IStatsMatcher? matcher)
{
    private const int CounterSlots = 1;

    // The second says that the gauge was written.
    private const int GaugeSlots = 2;

    private readonly Lock _lock = new();
    private Dictionary<(string Name, StatKind? Kind), object>? _stats;
    private Table? _table;

    /// <summary>Ends with a dot unless empty.</summary>
    public string Prefix => prefix;

    /// <summary>What is kept under the prefix; null keeps everything.</summary>
    public IStatsMatcher? Matcher => matcher ?? store.Matcher;

    public int Handles { get; set; }

    public bool Dropped { get; set; }

    public StoreBlock? Blocks { get; private set; }

    public Counter Counter(string name, StatTags? tags)
    {
        lock (_lock)
        {
            if (Find(name, StatKind.Counter, out var block, out var index) is Counter found)
            {
                return found;
            }
            return (Counter)Keep(name, StatKind.Counter, Rejects(name) ? RejectedCounter.Instance
                : block is not null ? block.CounterAt(index)
                : new StoreCounter(Slots.Take(CounterSlots, out var slot), slot, this, name, tags));
        }
    }

    public Gauge Gauge(string name, StatTags? tags)
    {
        lock (_lock)
        {
            if (Find(name, StatKind.Gauge, out var block, out var index) is Gauge found)
            {
                return found;
            }
            return (Gauge)Keep(name, StatKind.Gauge, Rejects(name) ? RejectedGauge.Instance
                : block is not null ? block.GaugeAt(index)
                : new StoreGauge(Slots.Take(GaugeSlots, out var slot), slot, this, name, tags));
        }
    }

    public Histogram Histogram(string name, StatTags? tags)
    {
        lock (_lock)
        {
            if (Find(name, StatKind.Histogram, out var block, out var index) is Histogram found)
            {
                return found;
            }
            return (Histogram)Keep(name, StatKind.Histogram, Rejects(name) ? RejectedHistogram.Instance
                : block is not null ? block.HistogramAt(index)
                : new StoreHistogram(store, this, name, tags));
        }
    }

    public TextReadout TextReadout(string name)
    {
        lock (_lock)
        {
            if (_stats is not null && _stats.TryGetValue((name, null), out var found))
            {
                return (TextReadout)found;
            }
            return (TextReadout)Keep(name, null, Rejects(name) ? RejectedTextReadout.Instance
                : new StoreTextReadout(this, name));
        }
    }

    public StatBlock Block(StatBlockLayout layout)
    {
        lock (_lock)
        {
            for (var block = Blocks; block is not null; block = block.Next)
            {
                if (ReferenceEquals(block.Layout, layout))
                {
                    return block;
                }
            }
            return Blocks = new StoreBlock(store, this, layout, Blocks);
        }
    }

    /// <summary>Adds gauges that are read when listed; a second source of a layout takes the place of the first.</summary>
    public void Observe(StatBlockLayout layout, IStatSource source, StatTags? tags)
    {
        lock (_lock)
        {
            var others = Array.FindAll(Observed, one => !ReferenceEquals(one.Layout, layout));
            Observed = [.. others, new ObservedBlock(layout, source, tags)];
        }
    }

    public ObservedBlock[] Observed { get; private set; } = [];

    /// <summary>The stats made one by one; those that are entries of a block are left to the block.</summary>
    public object[] Stats()
    {
        lock (_lock)
        {
            if (_stats is null)
            {
                return [];
            }
            var stats = new List<object>(_stats.Count);
            foreach (var stat in _stats.Values)
            {
                if (!InBlock(stat))
                {
                    stats.Add(stat);
                }
            }
            return [.. stats];
        }
    }

    /// <summary>
    /// Takes out a counter, gauge or histogram that was made one by one and that nobody writes any longer; one made by its name
    /// later begins anew.
    /// </summary>
    public void Remove(string name, StatKind kind)
    {
        lock (_lock)
        {
            if (_stats is null || !_stats.TryGetValue((name, kind), out var stat)
                || (stat is StoreCounter or StoreGauge or StoreHistogram && InBlock(stat)))
            {
                return;
            }
            _stats.Remove((name, kind));
            switch (stat)
            {
                case StoreCounter counter:
                    _table!.GiveBack(counter.Slot, CounterSlots);
                    break;
                case StoreGauge gauge:
                    _table!.GiveBack(gauge.Slot, GaugeSlots);
                    break;
                case StoreHistogram histogram:
                    histogram.Remove();
                    break;
            }
        }
    }

    public bool Rejects(string name) => Matcher?.Rejects(prefix + name) ?? false;

    private bool InBlock(object stat) =>
        stat switch
        {
            StoreCounter counter => !ReferenceEquals(counter.Table, _table),
            StoreGauge gauge => !ReferenceEquals(gauge.Table, _table),
            StoreHistogram histogram => BlockWith(histogram.LocalName, StatKind.Histogram, out var index) is { } block
                && ReferenceEquals(block.HistogramIfMade(index), histogram),
            StoreTextReadout => false,
            _ => true,
        };

    private Table Slots => _table ??= new Table(store.LoopCount);

    private object? Find(string name, StatKind kind, out StoreBlock? block, out int index)
    {
        if (_stats is not null && _stats.TryGetValue((name, kind), out var found))
        {
            block = null;
            index = -1;
            return found;
        }
        block = BlockWith(name, kind, out index);
        return null;
    }

    private StoreBlock? BlockWith(string name, StatKind kind, out int index)
    {
        for (var block = Blocks; block is not null; block = block.Next)
        {
            index = block.Layout.Slots.IndexOf(name);
            if (index >= 0 && block.Layout.Slots.Kinds[index] == kind)
            {
                return block;
            }
        }
        index = -1;
        return null;
    }

    private object Keep(string name, StatKind? kind, object stat) =>
        (_stats ??= new Dictionary<(string, StatKind?), object>())[(name, kind)] = stat;

    private sealed class Table(int loopCount) : SlotTable(loopCount)
    {
        private readonly Stack<int> _freeCounters = new();
        private readonly Stack<int> _freeGauges = new();

        public Table Take(int count, out int slot)
        {
            if ((count == CounterSlots ? _freeCounters : _freeGauges).TryPop(out slot))
            {
                Clear(slot, count);
                return this;
            }
            slot = SlotCount;
            SlotCount += count;
            return this;
        }

        public void GiveBack(int slot, int count) => (count == CounterSlots ? _freeCounters : _freeGauges).Push(slot);
    }
}
