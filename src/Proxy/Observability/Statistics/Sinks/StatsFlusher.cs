namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Merges histograms and hands what stands to the sinks, at each flush interval or when the admin interface is asked.</summary>
internal sealed class StatsFlusher(StatsStore store, DateTime start)
{
    private IReadOnlyList<IStatsSink> _sinks = [];
    private Dictionary<(ScopeNode Node, string Name), long> _counted = [];
    private DateTime _previous = start;

    /// <summary>Once, before traffic.</summary>
    public void Use(IReadOnlyList<IStatsSink> sinks)
    {
        _sinks = sinks;
        if (sinks.Count > 0)
        {
            store.SampleListener = OnSample;
        }
    }

    public void Flush()
    {
        store.MergeHistograms();
        if (_sinks.Count == 0)
        {
            return;
        }
        var snapshot = Take(DateTime.UtcNow);
        foreach (var sink in _sinks)
        {
            sink.Flush(snapshot);
        }
    }

    private StatsSnapshot Take(DateTime now)
    {
        var listed = store.Collect(new StatQuery(UsedOnly: true, null, static _ => true));
        var stats = new SnapshotStat[listed.Count];
        // Made anew each time, so that what was dropped is forgotten.
        var counted = new Dictionary<(ScopeNode, string), long>(_counted.Count);
        for (var i = 0; i < stats.Length; i++)
        {
            stats[i] = new SnapshotStat(listed[i], listed[i].Kind == StatKind.Counter ? Delta(listed[i], counted) : 0);
        }
        _counted = counted;
        var snapshot = new StatsSnapshot(store, stats, now, _previous);
        _previous = now;
        return snapshot;
    }

    private long Delta(in StatValue counter, Dictionary<(ScopeNode, string), long> counted)
    {
        var key = (counter.Node, counter.LocalName);
        counted[key] = counter.Value;
        var before = _counted.GetValueOrDefault(key);
        // Below what it was, it was reset meanwhile.
        return counter.Value >= before ? counter.Value - before : counter.Value;
    }

    private void OnSample(StoreHistogram histogram, ulong sample)
    {
        foreach (var sink in _sinks)
        {
            sink.OnSample(histogram, sample);
        }
    }
}
