using System.Collections.Concurrent;

namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// All stats of the process, by prefix (Envoy's Stats::Store). Writing is per loop and lock-free; making, listing and dropping
/// take locks and may be done on any thread.
/// </summary>
/// <param name="loopCount">Event loops there will be, the main one included; their indices are below this.</param>
public sealed class StatsStore(int loopCount)
{
    private readonly Dictionary<string, ScopeNode> _nodes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<StoreHistogram, bool> _active = new();
    private StatsScope? _root;

    public int LoopCount => loopCount;

    /// <summary>The scope without prefix.</summary>
    public IStatsScope Root => RootScope;

    internal StatsScope RootScope
    {
        get
        {
            lock (this)
            {
                return _root ??= new StatsScope(this, Acquire("", null), null, null);
            }
        }
    }

    /// <summary>stats_matcher; null keeps everything. Set before stats are made.</summary>
    public IStatsMatcher? Matcher { get; set; }

    /// <summary>Finds tags in names for labels. Without it names have none.</summary>
    public TagProducer Tags { get; set; } = TagProducer.None;

    /// <summary>histogram_bucket_settings.</summary>
    public HistogramBuckets Buckets { get; set; } = HistogramBuckets.Default;

    /// <summary>Told of every histogram sample, for sinks that forward them one by one (statsd timers).</summary>
    internal Action<StoreHistogram, ulong>? SampleListener { get; set; }

    /// <summary>Merges what the loops recorded since the last flush into histograms (Envoy: each stats_flush_interval, 5 s).</summary>
    public void MergeHistograms()
    {
        foreach (var (histogram, _) in _active)
        {
            if (histogram.Dropped)
            {
                _active.TryRemove(histogram, out _);
            }
            else
            {
                histogram.Merge();
            }
        }
    }

    /// <summary>The name without its tags, which are added to <paramref name="tags"/>.</summary>
    /// <param name="given">Tags of a stat that brings its own; null finds them in the name.</param>
    internal string Extract(string name, StatTags? given, List<KeyValuePair<string, string>> tags)
    {
        if (given is null)
        {
            return Tags.Extract(name, tags);
        }
        tags.AddRange(Tags.FixedTags);
        tags.AddRange(given.Tags);
        return given.ExtractedName;
    }

    /// <summary>All stats matching, in order of their names; equal names of one kind are merged into one.</summary>
    internal List<StatValue> Collect(StatQuery query)
    {
        var found = new List<StatValue>();
        foreach (var node in Nodes())
        {
            Collect(node, query, found);
        }
        found.Sort();
        MergeEqual(found);
        return found;
    }

    /// <summary>Sets all counters to zero; they stay used (`/reset_counters`).</summary>
    public void ResetCounters()
    {
        foreach (var node in Nodes())
        {
            foreach (var stat in node.Stats())
            {
                (stat as StoreCounter)?.Reset();
            }
            for (var block = node.Blocks; block is not null; block = block.Next)
            {
                for (var i = 0; block.Materialised && i < block.Layout.Entries.Count; i++)
                {
                    if (block.Layout.Slots.Kinds[i] == StatKind.Counter)
                    {
                        block.Reset(i);
                    }
                }
            }
        }
    }

    internal ScopeNode Acquire(string prefix, IStatsMatcher? matcher)
    {
        lock (this)
        {
            if (!_nodes.TryGetValue(prefix, out var node))
            {
                _nodes[prefix] = node = new ScopeNode(this, prefix, matcher);
            }
            node.Handles++;
            return node;
        }
    }

    internal void Release(ScopeNode node)
    {
        lock (this)
        {
            if (--node.Handles == 0)
            {
                node.Dropped = true;
                _nodes.Remove(node.Prefix);
            }
        }
    }

    internal void Activate(StoreHistogram histogram) => _active.TryAdd(histogram, true);

    internal void OnSample(StoreHistogram histogram, ulong sample) => SampleListener?.Invoke(histogram, sample);

    private ScopeNode[] Nodes()
    {
        lock (this)
        {
            return [.. _nodes.Values];
        }
    }

    private void Collect(ScopeNode node, StatQuery query, List<StatValue> found)
    {
        foreach (var (layout, source, tags) in node.Observed)
        {
            for (var i = 0; i < layout.Entries.Count; i++)
            {
                var value = StatValue.Of(node, layout, source, tags, i);
                if (query.Accepts(value) && !node.Rejects(value.LocalName))
                {
                    found.Add(value);
                }
            }
        }
        foreach (var stat in node.Stats())
        {
            if (StatValue.Of(node, stat) is { } value && query.Accepts(value))
            {
                found.Add(value);
            }
        }
        for (var block = node.Blocks; block is not null; block = block.Next)
        {
            if (query.UsedOnly && !block.Materialised)
            {
                continue;
            }
            for (var i = 0; i < block.Layout.Entries.Count; i++)
            {
                var value = StatValue.Of(node, block, i);
                if (query.Accepts(value) && !block.Rejected(i))
                {
                    found.Add(value);
                }
            }
        }
    }

    private static void MergeEqual(List<StatValue> sorted)
    {
        var kept = 0;
        for (var i = 1; i < sorted.Count; i++)
        {
            if (sorted[kept].CompareTo(sorted[i]) == 0 && sorted[kept].Kind == sorted[i].Kind)
            {
                sorted[kept] = sorted[kept].MergedWith(sorted[i]);
            }
            else
            {
                sorted[++kept] = sorted[i];
            }
        }
        if (sorted.Count > 0)
        {
            sorted.RemoveRange(kept + 1, sorted.Count - kept - 1);
        }
    }
}
