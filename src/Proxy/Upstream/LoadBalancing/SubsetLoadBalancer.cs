using MeshProxy.Proxy.Observability;
using Criteria = System.Collections.Generic.IReadOnlyList<
    System.Collections.Generic.KeyValuePair<string, MeshProxy.Proxy.Observability.MetadataValue>>;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>
/// Divides the hosts by their `envoy.lb` metadata and chooses within the part that a request's criteria name (upstream 5). Each
/// part has a balancer of the inner policy, with its own priorities, panic and rotation.
/// </summary>
internal sealed class SubsetLoadBalancer : LoadBalancer
{
    public const string Namespace = "envoy.lb";
    private const string FallbackListKey = "fallback_list";

    private readonly PrioritySet _hosts;
    private readonly LoadBalancerEnvironment _environment;
    private readonly SubsetOptions _options;
    private readonly ILoadBalancerFactory _inner;
    private readonly SelectorState[] _selectors;
    private readonly LoadBalancer? _any;
    private readonly Subset? _default;
    private HostSet[]? _sets;
    private int _singleHostDuplicates;

    public SubsetLoadBalancer(
        PrioritySet hosts, LoadBalancerEnvironment environment, SubsetOptions options, ILoadBalancerFactory inner)
    {
        _hosts = hosts;
        _environment = environment;
        _options = options;
        _inner = inner;
        _selectors = Array.ConvertAll(options.Selectors, static selector => new SelectorState(selector));
        var usesAny = options.Fallback == SubsetFallback.AnyEndpoint || options.PanicModeAny
            || Array.Exists(options.Selectors, static selector => selector.Fallback == SubsetFallback.AnyEndpoint);
        var usesDefault = options.Fallback == SubsetFallback.DefaultSubset
            || Array.Exists(options.Selectors, static selector => selector.Fallback == SubsetFallback.DefaultSubset);
        _any = usesAny ? inner.Create(hosts, environment) : null;
        _default = usesDefault ? new Subset(this) : null;
    }

    public override HostImpl? ChooseHost(ILoadBalancerContext? context)
    {
        Refresh();
        var criteria = context?.MetadataMatchCriteria;
        if (!_options.FallbackList || criteria is null || TakeFallbackList(criteria, out var rest) is not { Count: > 0 } alternatives)
        {
            return Choose(criteria, context);
        }
        foreach (var alternative in alternatives)
        {
            if (alternative is MetadataValue.StructNode fields && Choose(Merge(rest, fields.Fields), context) is { } host)
            {
                return host;
            }
        }
        return null;
    }

    private HostImpl? Choose(Criteria? criteria, ILoadBalancerContext? context)
    {
        if (criteria is { Count: > 0 })
        {
            if (FindSubset(criteria) is { HasHosts: true } subset)
            {
                _environment.Traffic.Inc(ClusterStat.LbSubsetsSelected);
                return subset.Balancer.ChooseHost(context);
            }
            if (FindSelector(criteria) is { Fallback: not SubsetFallback.NotDefined } selector)
            {
                return ChooseBySelector(selector, criteria, context);
            }
        }
        var fallback = _options.Fallback switch
        {
            SubsetFallback.AnyEndpoint => _any,
            SubsetFallback.DefaultSubset => _default!.Balancer,
            _ => null,
        };
        if (fallback?.ChooseHost(context) is { } host)
        {
            _environment.Traffic.Inc(ClusterStat.LbSubsetsFallback);
            return host;
        }
        if (_options.PanicModeAny && _any!.ChooseHost(context) is { } any)
        {
            _environment.Traffic.Inc(ClusterStat.LbSubsetsFallbackPanic);
            return any;
        }
        return null;
    }

    private HostImpl? ChooseBySelector(SubsetSelector selector, Criteria criteria, ILoadBalancerContext? context)
    {
        switch (selector.Fallback)
        {
            case SubsetFallback.AnyEndpoint:
                return _any!.ChooseHost(context);
            case SubsetFallback.DefaultSubset:
                return _default!.Balancer.ChooseHost(context);
            case SubsetFallback.KeysSubset:
                var reduced = new List<KeyValuePair<string, MetadataValue>>();
                foreach (var entry in criteria)
                {
                    if (Array.IndexOf(selector.FallbackKeys, entry.Key) >= 0)
                    {
                        reduced.Add(entry);
                    }
                }
                // A selector's own keys are always fewer, so this ends.
                return Choose(reduced, context);
            default:
                return null;
        }
    }

    private Subset? FindSubset(Criteria criteria)
    {
        foreach (var state in _selectors)
        {
            if (ValuesOf(state.Selector, criteria) is { } values && state.Subsets.TryGetValue(new SubsetKey(values), out var subset)
                && (subset.HasHosts || !_options.AllowRedundantKeys))
            {
                return subset;
            }
        }
        return null;
    }

    private SubsetSelector? FindSelector(Criteria criteria)
    {
        foreach (var state in _selectors)
        {
            if (ValuesOf(state.Selector, criteria) is not null)
            {
                return state.Selector;
            }
        }
        return null;
    }

    // The criteria are sorted by key, as the keys are; null when they are not the selector's.
    private MetadataValue[]? ValuesOf(SubsetSelector selector, Criteria criteria)
    {
        if (criteria.Count != selector.Keys.Length && !(_options.AllowRedundantKeys && criteria.Count > selector.Keys.Length))
        {
            return null;
        }
        var values = new MetadataValue[selector.Keys.Length];
        var next = 0;
        foreach (var (key, value) in criteria)
        {
            if (next < values.Length && key == selector.Keys[next])
            {
                values[next++] = value;
            }
            else if (!_options.AllowRedundantKeys)
            {
                return null;
            }
        }
        return next == values.Length ? values : null;
    }

    private void Refresh()
    {
        var sets = _hosts.Sets;
        if (ReferenceEquals(sets, _sets))
        {
            return;
        }
        _sets = sets;
        var duplicates = 0;
        foreach (var state in _selectors)
        {
            var members = Divide(state, sets, ref duplicates);
            foreach (var (key, hosts) in members)
            {
                if (!state.Subsets.TryGetValue(key, out var subset))
                {
                    state.Subsets[key] = subset = new Subset(this);
                    _environment.Traffic.Inc(ClusterStat.LbSubsetsCreated);
                }
                Fill(subset, sets, hosts);
            }
            foreach (var (key, subset) in state.Subsets)
            {
                if (!members.ContainsKey(key))
                {
                    Fill(subset, sets, []);
                }
            }
        }
        if (_default is not null)
        {
            var hosts = new HashSet<HostImpl>();
            foreach (var set in sets)
            {
                hosts.UnionWith(Array.FindAll(set.Hosts, HasDefaults));
            }
            Fill(_default, sets, hosts);
        }
        _environment.Traffic.Add(ClusterStat.LbSubsetsSingleHostPerSubsetDuplicate, duplicates - _singleHostDuplicates);
        _singleHostDuplicates = duplicates;
    }

    private Dictionary<SubsetKey, HashSet<HostImpl>> Divide(SelectorState state, HostSet[] sets, ref int duplicates)
    {
        var members = new Dictionary<SubsetKey, HashSet<HostImpl>>();
        foreach (var set in sets)
        {
            foreach (var host in set.Hosts)
            {
                foreach (var values in Tuples(host, state.Selector.Keys))
                {
                    var key = new SubsetKey(values);
                    if (!members.TryGetValue(key, out var hosts))
                    {
                        members[key] = hosts = [];
                    }
                    if (state.Selector.SingleHost && hosts.Count > 0)
                    {
                        duplicates++;
                    }
                    else
                    {
                        hosts.Add(host);
                    }
                }
            }
        }
        return members;
    }

    // All value tuples of a host; with list_as_any each element of a list stands for itself.
    private List<MetadataValue[]> Tuples(HostImpl host, string[] keys)
    {
        List<MetadataValue[]> tuples = [[]];
        foreach (var key in keys)
        {
            if (host.Metadata.Get(Namespace, key) is not { } value)
            {
                return [];
            }
            IReadOnlyList<MetadataValue> choices = _options.ListAsAny && value is MetadataValue.ListNode list ? list.Items : [value];
            var longer = new List<MetadataValue[]>(tuples.Count * choices.Count);
            foreach (var tuple in tuples)
            {
                foreach (var choice in choices)
                {
                    longer.Add([.. tuple, choice]);
                }
            }
            tuples = longer;
        }
        return tuples;
    }

    private bool HasDefaults(HostImpl host)
    {
        foreach (var (key, wanted) in _options.DefaultSubset)
        {
            if (host.Metadata.Get(Namespace, key) is not { } value || !Fits(value, wanted))
            {
                return false;
            }
        }
        return true;
    }

    private bool Fits(MetadataValue value, MetadataValue wanted)
    {
        if (_options.ListAsAny && value is MetadataValue.ListNode list)
        {
            foreach (var item in list.Items)
            {
                if (MetadataEquality.Equal(item, wanted))
                {
                    return true;
                }
            }
        }
        return MetadataEquality.Equal(value, wanted);
    }

    private void Fill(Subset subset, HostSet[] sets, HashSet<HostImpl> members)
    {
        var had = subset.HasHosts;
        subset.Hosts.Update(
            Array.ConvertAll(
                sets,
                set => new HostSet(
                    set.Priority, Array.FindAll(set.Hosts, members.Contains), LocalityWeights(set, members), set.Policy, set.OwnLocality)),
            [], []);
        subset.HasHosts = members.Count > 0;
        if (had != subset.HasHosts)
        {
            _environment.Traffic.Add(ClusterStat.LbSubsetsActive, had ? -1 : 1);
            if (had)
            {
                _environment.Traffic.Inc(ClusterStat.LbSubsetsRemoved);
            }
        }
    }

    private IReadOnlyDictionary<Locality, uint>? LocalityWeights(HostSet set, HashSet<HostImpl> members)
    {
        if (!_options.LocalityWeightAware || set.LocalityWeights is not { } weights || !_options.ScaleLocalityWeight)
        {
            return _options.LocalityWeightAware ? set.LocalityWeights : null;
        }
        var scaled = new Dictionary<Locality, uint>(weights.Count);
        var groups = set.HostsPerLocality;
        for (var i = 0; i < groups.Count; i++)
        {
            if (weights.TryGetValue(groups.Localities[i], out var weight) && weight > 0)
            {
                var share = (double)groups.Hosts[i].Count(members.Contains) / groups.Hosts[i].Length;
                scaled[groups.Localities[i]] = (uint)Math.Max(1, Math.Round(weight * share));
            }
        }
        return scaled;
    }

    private static IReadOnlyList<MetadataValue>? TakeFallbackList(Criteria criteria, out Criteria rest)
    {
        rest = criteria;
        foreach (var (key, value) in criteria)
        {
            if (key == FallbackListKey && value is MetadataValue.ListNode list)
            {
                rest = [.. criteria.Where(static entry => entry.Key != FallbackListKey)];
                return list.Items;
            }
        }
        return null;
    }

    private static List<KeyValuePair<string, MetadataValue>> Merge(Criteria criteria, IReadOnlyDictionary<string, MetadataValue> over)
    {
        var merged = new SortedDictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var (key, value) in criteria)
        {
            merged[key] = value;
        }
        foreach (var (key, value) in over)
        {
            merged[key] = value;
        }
        return [.. merged];
    }

    private sealed class SelectorState(SubsetSelector selector)
    {
        public SubsetSelector Selector { get; } = selector;

        public Dictionary<SubsetKey, Subset> Subsets { get; } = [];
    }

    private sealed class Subset(SubsetLoadBalancer owner)
    {
        private LoadBalancer? _balancer;

        public PrioritySet Hosts { get; } = new();

        public bool HasHosts { get; set; }

        public LoadBalancer Balancer => _balancer ??= owner._inner.Create(Hosts, owner._environment);
    }
}

internal sealed class SubsetFactory(SubsetOptions options, ILoadBalancerFactory inner) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new SubsetLoadBalancer(hosts, environment, options, inner);
}
