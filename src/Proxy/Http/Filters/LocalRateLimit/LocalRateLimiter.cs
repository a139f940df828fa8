using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Common.Ratelimit.V3.LocalRateLimitDescriptor;

namespace MeshProxy.Proxy.Http.Filters.LocalRateLimit;

/// <summary>The buckets of one limiter: the default one and those of descriptors (Envoy's LocalRateLimiterImpl).</summary>
internal sealed class LocalRateLimiter : IFilterStateObject
{
    private readonly TokenBucket? _default;
    private readonly Rule[] _rules;
    private readonly bool _alwaysDefault;

    public LocalRateLimiter(TokenBucket? standard, IReadOnlyList<Config> descriptors, bool alwaysDefault, uint maxDynamic)
    {
        _default = standard;
        _alwaysDefault = alwaysDefault;
        _rules = new Rule[descriptors.Count];
        for (var i = 0; i < _rules.Length; i++)
        {
            RefuseDuplicate(descriptors, i);
            _rules[i] = new Rule(descriptors[i], maxDynamic, $"local_ratelimit.descriptors[{i}]");
        }
    }

    private LocalRateLimiter(LocalRateLimiter like)
    {
        _default = like._default?.Fresh();
        _alwaysDefault = like._alwaysDefault;
        _rules = Array.ConvertAll(like._rules, static r => r.Fresh());
    }

    private static void RefuseDuplicate(IReadOnlyList<Config> descriptors, int index)
    {
        for (var i = 0; i < index; i++)
        {
            if (descriptors[i].Entries.SequenceEqual(descriptors[index].Entries))
            {
                throw new ConfigurationException(
                    $"duplicate descriptor in the local rate descriptor: local_ratelimit.descriptors[{index}] repeats descriptors[{i}]; remove one.");
            }
        }
    }

    public string? SerializeAsString() => null;

    /// <summary>Full buckets of the same kinds.</summary>
    public LocalRateLimiter Fresh() => new(this);

    public LocalLimitDecision Decide(IReadOnlyList<RateLimitDescriptor> descriptors)
    {
        var shadow = false;
        var matched = Match(descriptors);
        foreach (var match in matched)
        {
            if (match.Bucket.TryTake(match.Hits))
            {
                continue;
            }
            if (!match.Shadow)
            {
                return new LocalLimitDecision(false, match.Bucket, shadow, match.ShowsLimits);
            }
            shadow = true;
        }
        if ((matched.Count == 0 || _alwaysDefault) && _default is not null && !_default.TryTake())
        {
            return new LocalLimitDecision(false, _default, shadow, null);
        }
        return matched.Count > 0
            ? new LocalLimitDecision(true, matched[0].Bucket, shadow, matched[0].ShowsLimits)
            : new LocalLimitDecision(true, _default, shadow, null);
    }

    private List<Matched> Match(IReadOnlyList<RateLimitDescriptor> descriptors)
    {
        var matched = new List<Matched>();
        foreach (var descriptor in descriptors)
        {
            foreach (var rule in _rules)
            {
                if (rule.Find(descriptor.Entries) is { } bucket)
                {
                    // Only a service gives back what was counted; here such a descriptor counts nothing.
                    var hits = descriptor.NegativeHits ? 0 : descriptor.HitsAddend ?? 1;
                    matched.Add(new Matched(bucket, hits, rule.Shadow, descriptor.ShowsLimits));
                    break;
                }
            }
        }
        // The tightest first: it is the one to refuse, and the one shown.
        matched.Sort(static (a, b) => a.Bucket.Rate != b.Bucket.Rate
            ? a.Bucket.Rate.CompareTo(b.Bucket.Rate) : a.Bucket.Maximum.CompareTo(b.Bucket.Maximum));
        return matched;
    }

    private readonly record struct Matched(TokenBucket Bucket, ulong Hits, bool Shadow, bool? ShowsLimits);

    /// <summary>A configured descriptor; an entry without value has a bucket for each value it meets, the least used ones forgotten.</summary>
    private sealed class Rule
    {
        private readonly KeyValuePair<string, string>[] _entries;
        private readonly TokenBucket _bucket;
        private readonly uint _maxDynamic;
        private readonly object _gate = new();
        private readonly Dictionary<string, LinkedListNode<(string Key, TokenBucket Bucket)>>? _dynamic;
        private readonly LinkedList<(string Key, TokenBucket Bucket)> _byUse = new();

        public Rule(Config config, uint maxDynamic, string field)
        {
            _entries = [.. config.Entries.Select(static e => new KeyValuePair<string, string>(e.Key, e.Value))];
            _bucket = TokenBucketCompiler.Compile(config.TokenBucket, field);
            _maxDynamic = maxDynamic;
            Shadow = config.ShadowMode;
            _dynamic = Array.Exists(_entries, static e => e.Value.Length == 0) ? new(StringComparer.Ordinal) : null;
        }

        private Rule(Rule like)
        {
            _entries = like._entries;
            _bucket = like._bucket.Fresh();
            _maxDynamic = like._maxDynamic;
            Shadow = like.Shadow;
            _dynamic = like._dynamic is null ? null : new(StringComparer.Ordinal);
        }

        public bool Shadow { get; }

        public Rule Fresh() => new(this);

        public TokenBucket? Find(IReadOnlyList<KeyValuePair<string, string>> entries)
        {
            if (entries.Count != _entries.Length)
            {
                return null;
            }
            for (var i = 0; i < _entries.Length; i++)
            {
                if (entries[i].Key != _entries[i].Key || (_entries[i].Value.Length > 0 && entries[i].Value != _entries[i].Value))
                {
                    return null;
                }
            }
            return _dynamic is null ? _bucket : FindDynamic(string.Join('\n', entries.Select(static e => e.Value)));
        }

        private TokenBucket FindDynamic(string key)
        {
            lock (_gate)
            {
                if (_dynamic!.TryGetValue(key, out var known))
                {
                    _byUse.Remove(known);
                    _byUse.AddFirst(known);
                    return known.Value.Bucket;
                }
                if (_dynamic.Count >= _maxDynamic && _byUse.Last is { } oldest)
                {
                    _byUse.RemoveLast();
                    _dynamic.Remove(oldest.Value.Key);
                }
                var fresh = _bucket.Fresh();
                _dynamic[key] = _byUse.AddFirst((key, fresh));
                return fresh;
            }
        }
    }
}
