using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Xds.Type.Matcher.V3.Matcher;
using TypedExtension = Xds.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled xds.type.matcher.v3.Matcher: finds an action for a request or connection, or none.</summary>
public sealed class MatchTree<TAction>
    where TAction : class
{
    private readonly Node _root;

    private MatchTree(Node root) => _root = root;

    /// <summary>Compiles the action of a leaf out of its typed configuration.</summary>
    public delegate TAction ActionFactory(Any config, string field);

    /// <param name="takesInput">Whether the place can be matched on inputs of a type; null takes all that are known.</param>
    public static MatchTree<TAction> Compile(
        Config config, FactoryContext context, ActionFactory action, string field, Func<string, bool>? takesInput = null) =>
        new(new Compiler(action, takesInput).Tree(config, field));

    /// <summary>The action; null when nothing matches.</summary>
    public TAction? Match(in MatchContext context) => _root.Find(context);

    private abstract class Node
    {
        public abstract TAction? Find(in MatchContext context);
    }

    private sealed class Leaf(TAction action) : Node
    {
        public override TAction? Find(in MatchContext context) => action;
    }

    /// <summary>keep_matching: found, and the search goes on as if it were not.</summary>
    private sealed class Passed : Node
    {
        public static readonly Passed Instance = new();

        public override TAction? Find(in MatchContext context) => null;
    }

    private sealed class ListNode((Predicate Predicate, Node Then)[] matchers, Node? otherwise) : Node
    {
        public override TAction? Find(in MatchContext context)
        {
            foreach (var (predicate, then) in matchers)
            {
                // A nested tree that finds nothing lets the search go on.
                if (predicate.Holds(context) && then.Find(context) is { } found)
                {
                    return found;
                }
            }
            return otherwise?.Find(context);
        }
    }

    private sealed class ExactMap(MatchInput input, Dictionary<string, Node> map, Node? otherwise) : Node
    {
        public override TAction? Find(in MatchContext context) =>
            input.Get(context) is { } key && map.TryGetValue(key, out var then) && then.Find(context) is { } found
                ? found
                : otherwise?.Find(context);
    }

    /// <summary>The longest prefix wins; shorter ones are tried when it finds nothing.</summary>
    private sealed class PrefixMap(MatchInput input, (string Prefix, Node Then)[] longestFirst, Node? otherwise) : Node
    {
        public override TAction? Find(in MatchContext context)
        {
            if (input.Get(context) is { } value)
            {
                foreach (var (prefix, then) in longestFirst)
                {
                    if (value.StartsWith(prefix, StringComparison.Ordinal) && then.Find(context) is { } found)
                    {
                        return found;
                    }
                }
            }
            return otherwise?.Find(context);
        }
    }

    /// <summary>The narrowest range wins; wider ones are tried when it finds nothing, those that are exclusive excepted.</summary>
    private sealed class IpRanges(MatchInput input, (CidrRange Range, bool Exclusive, Node Then)[] narrowestFirst, Node? otherwise) : Node
    {
        public override TAction? Find(in MatchContext context)
        {
            if (input.Get(context) is { } text && IPAddress.TryParse(text, out var address))
            {
                var isFirst = true;
                foreach (var (range, exclusive, then) in narrowestFirst)
                {
                    if (!range.Contains(address) || (exclusive && !isFirst))
                    {
                        continue;
                    }
                    if (then.Find(context) is { } found)
                    {
                        return found;
                    }
                    isFirst = false;
                }
            }
            return otherwise?.Find(context);
        }
    }

    private sealed class ServerNames(MatchInput input, Dictionary<string, Node> domains, Node? otherwise) : Node
    {
        public override TAction? Find(in MatchContext context)
        {
            for (var name = input.Get(context)?.ToLowerInvariant(); name is not null; name = Wider(name))
            {
                if (domains.TryGetValue(name, out var then) && then.Find(context) is { } found)
                {
                    return found;
                }
            }
            return otherwise?.Find(context);
        }

        // a.b.c → *.b.c → *.c → *
        private static string? Wider(string name)
        {
            if (name == "*")
            {
                return null;
            }
            var rest = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
            var dot = rest.IndexOf('.', StringComparison.Ordinal);
            return dot < 0 ? "*" : $"*.{rest[(dot + 1)..]}";
        }
    }

    private abstract class Predicate
    {
        public abstract bool Holds(in MatchContext context);
    }

    private sealed class Single(MatchInput input, StringMatcher matcher) : Predicate
    {
        public override bool Holds(in MatchContext context) => input.Get(context) is { } value && matcher.Match(value);
    }

    private sealed class SingleIp(MatchInput input, CidrRange[] ranges) : Predicate
    {
        public override bool Holds(in MatchContext context) =>
            input.Get(context) is { } value && IPAddress.TryParse(value, out var address) && CidrRange.AnyContains(ranges, address);
    }

    private sealed class Combined(Predicate[] parts, bool any) : Predicate
    {
        public override bool Holds(in MatchContext context)
        {
            foreach (var part in parts)
            {
                if (part.Holds(context) == any)
                {
                    return any;
                }
            }
            return !any;
        }
    }

    private sealed class Not(Predicate part) : Predicate
    {
        public override bool Holds(in MatchContext context) => !part.Holds(context);
    }

    private sealed class Compiler(ActionFactory action, Func<string, bool>? takesInput)
    {
        public Node Tree(Config config, string field)
        {
            var otherwise = config.OnNoMatch is { } none ? Then(none, $"{field}.on_no_match") : null;
            return config.MatcherTypeCase switch
            {
                Config.MatcherTypeOneofCase.MatcherListValue => List(config.MatcherListValue!.Value, otherwise, $"{field}.matcher_list"),
                Config.MatcherTypeOneofCase.MatcherTreeValue => Map(config.MatcherTreeValue!.Value, otherwise, $"{field}.matcher_tree"),
                _ => otherwise ?? throw new ConfigurationException($"{field}: neither matchers nor on_no_match are set; set one."),
            };
        }

        private Node Then(Config.OnMatch config, string field)
        {
            var then = ThenOf(config, field);
            return config.KeepMatching ? Passed.Instance : then;
        }

        private Node ThenOf(Config.OnMatch config, string field) => config.OnMatchCase switch
        {
            Config.OnMatch.OnMatchOneofCase.Matcher => Tree(config.Matcher!.Value, $"{field}.matcher"),
            Config.OnMatch.OnMatchOneofCase.Action when config.Action!.Value.TypedConfig is { } any => new Leaf(action(any, $"{field}.action")),
            _ => throw new ConfigurationException($"{field}: neither matcher nor action is set; set one."),
        };

        private ListNode List(Config.MatcherList config, Node? otherwise, string field)
        {
            var matchers = new (Predicate, Node)[config.Matchers.Count];
            for (var i = 0; i < matchers.Length; i++)
            {
                var matcher = config.Matchers[i];
                var name = $"{field}.matchers[{i}]";
                matchers[i] = (Compile(Required(matcher.Predicate, $"{name}.predicate"), $"{name}.predicate"),
                    Then(Required(matcher.OnMatch, $"{name}.on_match"), $"{name}.on_match"));
            }
            return new ListNode(matchers, otherwise);
        }

        private Predicate Compile(Config.MatcherList.Predicate config, string field)
        {
            switch (config.MatchTypeCase)
            {
                case Config.MatcherList.Predicate.MatchTypeOneofCase.SinglePredicateValue:
                    return Single(config.SinglePredicateValue!.Value, $"{field}.single_predicate");
                case Config.MatcherList.Predicate.MatchTypeOneofCase.OrMatcher:
                    return new Combined(All(config.OrMatcher!.Value.Predicate, $"{field}.or_matcher"), any: true);
                case Config.MatcherList.Predicate.MatchTypeOneofCase.AndMatcher:
                    return new Combined(All(config.AndMatcher!.Value.Predicate, $"{field}.and_matcher"), any: false);
                case Config.MatcherList.Predicate.MatchTypeOneofCase.NotMatcher:
                    return new Not(Compile(config.NotMatcher!.Value, $"{field}.not_matcher"));
                default:
                    throw new ConfigurationException($"{field}: no predicate is set; set one.");
            }
        }

        private Predicate[] All(IReadOnlyList<Config.MatcherList.Predicate> configs, string field)
        {
            var parts = new Predicate[configs.Count];
            for (var i = 0; i < parts.Length; i++)
            {
                parts[i] = Compile(configs[i], $"{field}[{i}]");
            }
            return parts;
        }

        private Predicate Single(Config.MatcherList.Predicate.SinglePredicate config, string field)
        {
            var input = Input(config.Input, $"{field}.input");
            if (config.ValueMatch is { } value)
            {
                return new Single(input, StringMatcher.Compile(value, $"{field}.value_match"));
            }
            if (config.CustomMatch?.TypedConfig is { } any
                && any.TryUnpack<Envoy.Extensions.Matching.InputMatchers.Ip.V3.Ip>(out var ip))
            {
                return new SingleIp(input, Array.ConvertAll([.. ip.CidrRanges], range => CidrRange.Compile(range, field)));
            }
            throw new ConfigurationException($"{field}: '{config.CustomMatch?.Name}' is no known input matcher; use value_match.");
        }

        private Node Map(Config.MatcherTree config, Node? otherwise, string field)
        {
            var input = Input(config.Input, $"{field}.input");
            switch (config.TreeTypeCase)
            {
                case Config.MatcherTree.TreeTypeOneofCase.ExactMatchMap:
                    return new ExactMap(input, Entries(config.ExactMatchMap!.Value, $"{field}.exact_match_map"), otherwise);
                case Config.MatcherTree.TreeTypeOneofCase.PrefixMatchMap:
                    var entries = Entries(config.PrefixMatchMap!.Value, $"{field}.prefix_match_map");
                    return new PrefixMap(input,
                        [.. entries.OrderByDescending(entry => entry.Key.Length).Select(entry => (entry.Key, entry.Value))], otherwise);
                default:
                    return Custom(config.CustomMatch?.TypedConfig, config.CustomMatch?.Name ?? "", input, otherwise, $"{field}.custom_match");
            }
        }

        private Node Custom(Any? any, string name, MatchInput input, Node? otherwise, string field)
        {
            if (any is not null && any.TryUnpack<global::Xds.Type.Matcher.V3.IPMatcher>(out var ip))
            {
                var ranges = new List<(CidrRange Range, bool Exclusive, Node Then)>();
                foreach (var matcher in ip.RangeMatchers)
                {
                    var then = Then(Required(matcher.OnMatch, field), field);
                    foreach (var range in matcher.Ranges)
                    {
                        ranges.Add((CidrRange.Compile(range, field), matcher.Exclusive, then));
                    }
                }
                return new IpRanges(input, [.. ranges.OrderByDescending(static each => each.Range.Length)], otherwise);
            }
            if (any is not null && any.TryUnpack<global::Xds.Type.Matcher.V3.ServerNameMatcher>(out var names))
            {
                var domains = new Dictionary<string, Node>(StringComparer.Ordinal);
                foreach (var matcher in names.DomainMatchers)
                {
                    var then = Then(Required(matcher.OnMatch, field), field);
                    foreach (var domain in matcher.Domains)
                    {
                        domains[domain.ToLowerInvariant()] = then;
                    }
                }
                return new ServerNames(input, domains, otherwise);
            }
            throw new ConfigurationException($"{field}: '{name}' is no known matcher; use exact_match_map or prefix_match_map.");
        }

        private Dictionary<string, Node> Entries(Config.MatcherTree.MatchMap map, string field)
        {
            var entries = new Dictionary<string, Node>(StringComparer.Ordinal);
            foreach (var (key, then) in map.Map)
            {
                entries[key] = Then(then, $"{field}[{key}]");
            }
            return entries;
        }

        private MatchInput Input(TypedExtension? config, string field) =>
            takesInput?.Invoke(config?.TypedConfig?.TypeName ?? "") == false
                ? throw new ConfigurationException(
                    $"{field}: '{config?.Name}' with type '{config?.TypedConfig?.TypeName}' cannot be matched here; use another input.")
                : MatchInput.Compile(config?.TypedConfig, config?.Name ?? "", field);

        private static T Required<T>(T? value, string field)
            where T : struct => value ?? throw new ConfigurationException($"{field}: is missing; set it.");
    }
}
