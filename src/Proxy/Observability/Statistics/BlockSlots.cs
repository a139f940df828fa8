namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// Where the entries of a layout lie in a <see cref="SlotTable"/>: a counter takes one slot, a gauge two (its second says that
/// it was written, for a gauge set to zero counts as used), a histogram none but an ordinal. Made once a layout.
/// </summary>
internal sealed class BlockSlots
{
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);

    public BlockSlots(IReadOnlyList<(string Name, StatKind Kind)> entries)
    {
        Places = new int[entries.Count];
        Kinds = new StatKind[entries.Count];
        Names = new string[entries.Count];
        for (var i = 0; i < entries.Count; i++)
        {
            var (name, kind) = entries[i];
            Names[i] = name;
            Kinds[i] = kind;
            _byName.Add(name, i);
            Places[i] = kind == StatKind.Histogram ? HistogramCount++ : SlotCount;
            SlotCount += kind switch { StatKind.Counter => 1, StatKind.Gauge => 2, _ => 0 };
        }
    }

    public string[] Names { get; }

    public StatKind[] Kinds { get; }

    /// <summary>Slot of a counter or gauge, ordinal of a histogram.</summary>
    public int[] Places { get; }

    public int SlotCount { get; }

    public int HistogramCount { get; }

    public int IndexOf(string name) => _byName.TryGetValue(name, out var index) ? index : -1;
}
