namespace MeshProxy.Proxy.Observability;

/// <summary>Sums upward only. Plain per-loop integers, summed when read; cheap on the hot path, no atomics.</summary>
public abstract class Counter
{
    public abstract string Name { get; }

    public abstract void Add(long amount);

    public void Inc() => Add(1);

    public abstract long Value { get; }

    /// <summary>True once incremented; unused ones are left out of `/stats?usedonly`.</summary>
    public abstract bool Used { get; }

    public abstract void Reset();
}

public abstract class Gauge
{
    public abstract string Name { get; }

    public abstract void Add(long amount);

    public void Inc() => Add(1);

    public void Dec() => Add(-1);

    public abstract void Set(long value);

    public abstract long Value { get; }

    public abstract bool Used { get; }
}

public abstract class Histogram
{
    public abstract string Name { get; }

    /// <summary>Unit as in the name's documentation; milliseconds for times.</summary>
    public abstract void Record(double value);
}

/// <summary>A stat that holds text (`version_text`, `control_plane.identifier`); not used until set.</summary>
public abstract class TextReadout
{
    public abstract string Name { get; }

    public abstract void Set(string value);

    public abstract string Value { get; }

    public abstract bool Used { get; }
}

/// <summary>A prefix under which stats are made, e.g. `cluster.c1.`; disposing drops what was made under it.</summary>
public interface IStatsScope : IDisposable
{
    string Prefix { get; }

    /// <summary>Finds or makes; <paramref name="name"/> follows the prefix.</summary>
    Counter Counter(string name);

    Gauge Gauge(string name);

    Histogram Histogram(string name);

    TextReadout TextReadout(string name);

    /// <summary>A child scope; <paramref name="prefix"/> without the final dot.</summary>
    IStatsScope Scope(string prefix);

    /// <summary>A child scope with a matcher in place of the store's, also for what is below it; null as <see cref="Scope(string)"/>.</summary>
    IStatsScope Scope(string prefix, Statistics.IStatsMatcher? matcher);

    /// <summary>
    /// A block of stats whose names are known beforehand (all stats of a cluster, of an HCM …): shown as zero from the start,
    /// but its storage is made at first use, all of it on the loop that used one. Put what every owner sets at creation
    /// (membership, versions) in a block of its own, so that 10,000 idle clusters cost little. The same layout under the
    /// same prefix gives the same block.
    /// </summary>
    StatBlock Block(StatBlockLayout layout);

    /// <summary>
    /// Gauges whose values are derived from other state (circuit breakers, memberships): read from <paramref name="source"/>
    /// when stats are shown, so that they cost nothing in between. Gone with the scope.
    /// </summary>
    /// <param name="tags">Tags of all of them, with the beginning of their names without the tags; null finds them in the names.</param>
    void Observe(StatBlockLayout layout, IStatSource source, Statistics.StatTags? tags = null);
}

/// <summary>See <see cref="IStatsScope.Observe"/>.</summary>
public interface IStatSource
{
    /// <summary>Present value of one entry of the layout; from any thread.</summary>
    long Read(int index);
}

/// <summary>What one entry of a block is.</summary>
public enum StatKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>The fixed names of a block; an enum gives the indices.</summary>
public sealed record StatBlockLayout(IReadOnlyList<(string Name, StatKind Kind)> Entries)
{
    private readonly Lazy<Statistics.BlockSlots> _slots = new(() => new Statistics.BlockSlots(Entries));

    internal Statistics.BlockSlots Slots => _slots.Value;
}

/// <summary>See <see cref="IStatsScope.Block"/>.</summary>
public abstract class StatBlock
{
    public abstract void Add(int index, long amount);

    public void Inc(int index) => Add(index, 1);

    public void Dec(int index) => Add(index, -1);

    public abstract void Set(int index, long value);

    public abstract void Record(int index, double value);

    public abstract long Value(int index);

    /// <summary>True once the entry was written.</summary>
    public abstract bool Used(int index);
}
