namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>One owner's hold on a prefix. Scopes made from it are disposed with it.</summary>
internal sealed class StatsScope : IStatsScope
{
    private readonly StatsStore _store;
    private readonly ScopeNode _node;
    private readonly StatsScope? _parent;
    private readonly IStatsMatcher? _matcher;
    private List<StatsScope>? _children;
    private bool _disposed;

    public StatsScope(StatsStore store, ScopeNode node, StatsScope? parent, IStatsMatcher? matcher)
    {
        _store = store;
        _node = node;
        _parent = parent;
        _matcher = matcher;
    }

    public string Prefix => _node.Prefix;

    public Counter Counter(string name) => _node.Counter(StatNames.Sanitize(name), null);

    public Gauge Gauge(string name) => _node.Gauge(StatNames.Sanitize(name), null);

    public Histogram Histogram(string name) => _node.Histogram(StatNames.Sanitize(name), null);

    public TextReadout TextReadout(string name) => _node.TextReadout(StatNames.Sanitize(name));

    // Names made of tags hold what the tags hold (a SPIFFE identity has colons), as in Envoy.
    public Counter Counter(string name, StatTags tags) => _node.Counter(name, tags);

    public Gauge Gauge(string name, StatTags tags) => _node.Gauge(name, tags);

    public Histogram Histogram(string name, StatTags tags) => _node.Histogram(name, tags);

    /// <summary>See <see cref="ScopeNode.Remove"/>.</summary>
    public void Remove(string name, StatKind kind) => _node.Remove(name, kind);

    public StatBlock Block(StatBlockLayout layout) => _node.Block(layout);

    public void Observe(StatBlockLayout layout, IStatSource source, StatTags? tags = null) =>
        _node.Observe(layout, source, tags);

    public IStatsScope Scope(string prefix) => Scope(prefix, null);

    public IStatsScope Scope(string prefix, IStatsMatcher? matcher)
    {
        var kept = matcher ?? _matcher;
        var child = new StatsScope(
            _store, _store.Acquire(_node.Prefix + StatNames.Sanitize(prefix.TrimEnd('.')) + ".", kept), this, kept);
        // The root lives as long as the process: there is nothing to dispose with it.
        if (_parent is not null)
        {
            lock (_store)
            {
                (_children ??= []).Add(child);
            }
        }
        return child;
    }

    public void Dispose()
    {
        lock (_store)
        {
            if (_disposed || _node.Prefix.Length == 0)
            {
                return;
            }
            _disposed = true;
            foreach (var child in _children?.ToArray() ?? [])
            {
                child.Dispose();
            }
            _parent?._children?.Remove(this);
            _store.Release(_node);
        }
    }
}
