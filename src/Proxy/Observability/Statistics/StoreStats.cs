namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Tags given with the name rather than extracted from it (Istio metrics), and the name without them.</summary>
public sealed record StatTags(string ExtractedName, IReadOnlyList<KeyValuePair<string, string>> Tags);

/// <summary>A counter that lies in a slot table: of its own scope, or of a block.</summary>
internal sealed class StoreCounter(SlotTable table, int slot, ScopeNode node, string name, StatTags? tags) : Counter
{
    public SlotTable Table => table;

    public int Slot => slot;

    public override string Name => node.Prefix + name;

    public string LocalName => name;

    public StatTags? Tags => tags;

    public override long Value => table.CounterValue(slot);

    public override bool Used => table.Sum(slot) != 0;

    public override void Add(long amount) => table.Add(slot, amount);

    public override void Reset() => table.ResetCounter(slot);
}

/// <summary>A gauge that lies in a slot table.</summary>
internal sealed class StoreGauge(SlotTable table, int slot, ScopeNode node, string name, StatTags? tags) : Gauge
{
    public SlotTable Table => table;

    public int Slot => slot;

    public override string Name => node.Prefix + name;

    public string LocalName => name;

    public StatTags? Tags => tags;

    public override long Value => table.Sum(slot);

    public override bool Used => table.Sum(slot + 1) != 0;

    public override void Add(long amount) => table.AddGauge(slot, amount);

    public override void Set(long value) => table.SetGauge(slot, value);
}

/// <summary>A text, replaced whole.</summary>
internal sealed class StoreTextReadout(ScopeNode node, string name) : TextReadout
{
    private volatile string? _value;

    public override string Name => node.Prefix + name;

    public string LocalName => name;

    public override string Value => _value ?? "";

    public override bool Used => _value is not null;

    public override void Set(string value) => _value = value;
}
