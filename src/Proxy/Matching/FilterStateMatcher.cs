using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Type.Matcher.V3.FilterStateMatcher;

namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled type.matcher.v3.FilterStateMatcher; an absent object never matches.</summary>
public sealed class FilterStateMatcher
{
    private readonly string _key;
    private readonly StringMatcher? _text;
    private readonly CidrRange[] _ranges = [];
    private readonly bool _invert;

    public FilterStateMatcher(Config config, string field)
    {
        _key = config.Key;
        switch (config.MatcherCase)
        {
            case Config.MatcherOneofCase.StringMatch:
                _text = StringMatcher.Compile(config.StringMatch!.Value, $"{field}.string_match");
                break;
            case Config.MatcherOneofCase.AddressMatch:
                var address = config.AddressMatch!.Value;
                _invert = address.InvertMatch;
                _ranges = new CidrRange[address.Ranges.Count];
                for (var i = 0; i < _ranges.Length; i++)
                {
                    _ranges[i] = CidrRange.Compile(address.Ranges[i], $"{field}.address_match.ranges[{i}]");
                }
                break;
            default:
                throw new ConfigurationException($"{field}: no matcher is set; set string_match or address_match.");
        }
    }

    public bool Match(FilterState state)
    {
        if (state.Get(_key) is not { } found || found.SerializeAsString() is not { } text)
        {
            return false;
        }
        return _text is not null
            ? _text.Match(text)
            : IPEndPoint.TryParse(text, out var endPoint) && CidrRange.AnyContains(_ranges, endPoint.Address) != _invert;
    }
}
