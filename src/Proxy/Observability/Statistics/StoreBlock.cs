namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>The stats of one layout under one prefix. Until the first write it is this object alone.</summary>
internal sealed class StoreBlock : StatBlock
{
    private readonly StatsStore _store;
    private readonly ScopeNode _node;
    private readonly Table _table;
    private StoreHistogram?[]? _histograms;
    private ulong[]? _rejected;

    public StoreBlock(StatsStore store, ScopeNode node, StatBlockLayout layout, StoreBlock? next)
    {
        _store = store;
        _node = node;
        Layout = layout;
        Next = next;
        _table = new Table(store.LoopCount, layout.Slots.SlotCount);
    }

    public StatBlockLayout Layout { get; }

    /// <summary>The block made before this one under the same prefix.</summary>
    public StoreBlock? Next { get; }

    /// <summary>False while nothing was ever written.</summary>
    public bool Materialised => _table.Materialised || _histograms is not null;

    public override void Add(int index, long amount)
    {
        var slots = Layout.Slots;
        if (slots.Kinds[index] == StatKind.Counter)
        {
            _table.Add(slots.Places[index], amount);
        }
        else
        {
            _table.AddGauge(slots.Places[index], amount);
        }
    }

    public override void Set(int index, long value) => _table.SetGauge(Layout.Slots.Places[index], value);

    public override void Record(int index, double value) => HistogramAt(index).Record(value);

    public override long Value(int index) =>
        Layout.Slots.Kinds[index] switch
        {
            StatKind.Counter => _table.CounterValue(Layout.Slots.Places[index]),
            StatKind.Gauge => _table.Sum(Layout.Slots.Places[index]),
            _ => 0,
        };

    public override bool Used(int index)
    {
        var place = Layout.Slots.Places[index];
        return Layout.Slots.Kinds[index] switch
        {
            StatKind.Counter => _table.Sum(place) != 0,
            StatKind.Gauge => _table.Sum(place + 1) != 0,
            _ => _histograms?[place]?.Used ?? false,
        };
    }

    public void Reset(int index) => _table.ResetCounter(Layout.Slots.Places[index]);

    public Counter CounterAt(int index) =>
        new StoreCounter(_table, Layout.Slots.Places[index], _node, Layout.Slots.Names[index], null);

    public Gauge GaugeAt(int index) =>
        new StoreGauge(_table, Layout.Slots.Places[index], _node, Layout.Slots.Names[index], null);

    public StoreHistogram HistogramAt(int index)
    {
        if (_histograms is null)
        {
            Interlocked.CompareExchange(ref _histograms, new StoreHistogram?[Layout.Slots.HistogramCount], null);
        }
        ref var place = ref _histograms[Layout.Slots.Places[index]];
        if (place is null)
        {
            Interlocked.CompareExchange(ref place, new StoreHistogram(_store, _node, Layout.Slots.Names[index], null), null);
        }
        return place;
    }

    /// <summary>The histogram if it was ever recorded to.</summary>
    public StoreHistogram? HistogramIfMade(int index) => _histograms?[Layout.Slots.Places[index]];

    /// <summary>Whether stats_matcher refuses the entry; found when somebody first looks, for most blocks are never looked at.</summary>
    public bool Rejected(int index)
    {
        if (_node.Matcher is not { } matcher)
        {
            return false;
        }
        if (_rejected is null)
        {
            var rejected = new ulong[(Layout.Entries.Count + 63) / 64];
            for (var i = 0; i < Layout.Entries.Count; i++)
            {
                if (matcher.Rejects(_node.Prefix + Layout.Entries[i].Name))
                {
                    rejected[i / 64] |= 1UL << (i % 64);
                }
            }
            _rejected = rejected;
        }
        return (_rejected[index / 64] & (1UL << (index % 64))) != 0;
    }

    private sealed class Table : SlotTable
    {
        public Table(int loopCount, int slotCount)
            : base(loopCount) => SlotCount = slotCount;
    }
}
