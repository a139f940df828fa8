using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Type.Matcher.V3.ValueMatcher;

namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled type.matcher.v3.ValueMatcher over a metadata value; null stands for "not there".</summary>
public abstract class ValueMatcher
{
    public abstract bool Match(MetadataValue? value);

    public static ValueMatcher Compile(Config config, string field) => config.MatchPatternCase switch
    {
        Config.MatchPatternOneofCase.NullMatchValue => new NullValue(),
        Config.MatchPatternOneofCase.DoubleMatch => new NumberValue(config.DoubleMatch!.Value, field),
        Config.MatchPatternOneofCase.StringMatch =>
            new TextValue(StringMatcher.Compile(config.StringMatch!.Value, $"{field}.string_match")),
        Config.MatchPatternOneofCase.BoolMatch => new BoolValue(config.BoolMatch),
        Config.MatchPatternOneofCase.PresentMatch => new PresentValue(config.PresentMatch),
        Config.MatchPatternOneofCase.ListMatch when config.ListMatch!.Value.OneOf is { } one =>
            new ListValue(Compile(one, $"{field}.list_match.one_of")),
        Config.MatchPatternOneofCase.OrMatch => new OrValue(CompileAll(config.OrMatch!.Value.ValueMatchers, $"{field}.or_match")),
        _ => throw new ConfigurationException($"{field}: no match pattern is set; set one."),
    };

    private static ValueMatcher[] CompileAll(IReadOnlyList<Config> configs, string field)
    {
        var matchers = new ValueMatcher[configs.Count];
        for (var i = 0; i < matchers.Length; i++)
        {
            matchers[i] = Compile(configs[i], $"{field}.value_matchers[{i}]");
        }
        return matchers;
    }

    private sealed class NullValue : ValueMatcher
    {
        public override bool Match(MetadataValue? value) => value is MetadataValue.NullNode;
    }

    private sealed class NumberValue(Envoy.Type.Matcher.V3.DoubleMatcher config, string field) : ValueMatcher
    {
        private readonly bool _range = config.Range is not null;
        private readonly double _start = config.Range?.Start ?? config.Exact;
        private readonly double _end = config.MatchPatternCase == Envoy.Type.Matcher.V3.DoubleMatcher.MatchPatternOneofCase.None
            ? throw new ConfigurationException($"{field}.double_match: neither range nor exact is set; set one.")
            : config.Range?.End ?? config.Exact;

        public override bool Match(MetadataValue? value) => value is MetadataValue.NumberNode { Value: var number }
            && (_range ? number >= _start && number < _end : number == _start);
    }

    private sealed class TextValue(StringMatcher matcher) : ValueMatcher
    {
        public override bool Match(MetadataValue? value) =>
            value is MetadataValue.StringNode { Value: var text } && matcher.Match(text);
    }

    private sealed class BoolValue(bool wanted) : ValueMatcher
    {
        public override bool Match(MetadataValue? value) => value is MetadataValue.BoolNode { Value: var actual } && actual == wanted;
    }

    private sealed class PresentValue(bool wanted) : ValueMatcher
    {
        public override bool Match(MetadataValue? value) => value is not null == wanted;
    }

    private sealed class ListValue(ValueMatcher any) : ValueMatcher
    {
        public override bool Match(MetadataValue? value)
        {
            if (value is MetadataValue.ListNode list)
            {
                foreach (var item in list.Items)
                {
                    if (any.Match(item))
                    {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private sealed class OrValue(ValueMatcher[] matchers) : ValueMatcher
    {
        public override bool Match(MetadataValue? value)
        {
            foreach (var matcher in matchers)
            {
                if (matcher.Match(value))
                {
                    return true;
                }
            }
            return false;
        }
    }
}
