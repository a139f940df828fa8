using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>A histogram of a <see cref="StatsStore"/>: bins a loop, read together at each flush.</summary>
internal sealed class StoreHistogram(StatsStore store, ScopeNode node, string name, StatTags? tags) : Histogram
{
    private readonly HistogramBins?[] _loops = new HistogramBins?[store.LoopCount + 1];
    private readonly bool _isPercent = HistogramUnits.IsPercent(name);
    private bool _active;
    private volatile bool _removed;

    public override string Name => node.Prefix + name;

    public string LocalName => name;

    public StatTags? Tags => tags;

    /// <summary>True once samples were merged by a flush, as Envoy counts a histogram as used.</summary>
    public bool Used => Merged is not null;

    /// <summary>All samples up to the last flush, and those between the last two; null before.</summary>
    public MergedHistogram? Merged { get; private set; }

    public bool Dropped => node.Dropped || _removed;

    public override void Record(double value)
    {
        var scaled = _isPercent ? value * HistogramUnits.PercentScale : value;
        var sample = scaled > 0 ? (ulong)scaled : 0;
        var loop = EventLoop.Current;
        if (loop is null || (uint)loop.Index >= (uint)store.LoopCount)
        {
            lock (_loops)
            {
                (_loops[^1] ??= HistogramBins.For(name)).Record(sample);
            }
        }
        else
        {
            (_loops[loop.Index] ??= HistogramBins.For(name)).Record(sample);
        }
        if (!_active)
        {
            _active = true;
            store.Activate(this);
        }
        store.OnSample(this, sample);
    }

    /// <summary>It was taken out of its scope: nothing is merged any longer.</summary>
    public void Remove() => _removed = true;

    public void Merge()
    {
        var cumulative = HistogramBins.Sum(_loops);
        var interval = Merged is null ? cumulative : cumulative.Since(Merged.Cumulative);
        Merged = new MergedHistogram(interval, cumulative);
    }
}

/// <summary>What a flush read of a histogram.</summary>
internal sealed record MergedHistogram(HistogramBins Interval, HistogramBins Cumulative);
