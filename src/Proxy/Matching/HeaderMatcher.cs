using System.Buffers.Text;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using Config = Envoy.Config.Route.V3.HeaderMatcher;

namespace MeshProxy.Proxy.Matching;

/// <summary>
/// A compiled route.v3.HeaderMatcher (http-semantics 3.3). Each line of a repeated header is tested by itself; any hit
/// matches. For value modes a missing header never matches, inverted or not, unless it is to be treated as empty.
/// </summary>
public sealed class HeaderMatcher
{
    private readonly byte[] _name;
    private readonly Mode _mode;
    private readonly bool _invert;
    private readonly bool _missingAsEmpty;
    private readonly StringMatcher? _value;
    private readonly long _start;
    private readonly long _end;

    private HeaderMatcher(Config config, Mode mode, bool invert, StringMatcher? value)
    {
        var name = config.Name.ToLowerInvariant();
        _name = Encoding.ASCII.GetBytes(name == "host" ? ":authority" : name);
        _mode = mode;
        _invert = invert;
        _missingAsEmpty = config.TreatMissingHeaderAsEmpty;
        _value = value;
        _start = config.RangeMatch?.Start ?? 0;
        _end = config.RangeMatch?.End ?? 0;
    }

    private enum Mode
    {
        Present,
        Value,
        Range,
    }

    /// <summary>The header's name in lower case.</summary>
    public ReadOnlySpan<byte> Name => _name;

    public static HeaderMatcher Compile(Config config, string field)
    {
        switch (config.HeaderMatchSpecifierCase)
        {
            case Config.HeaderMatchSpecifierOneofCase.None:
                return new HeaderMatcher(config, Mode.Present, config.InvertMatch, null);
            case Config.HeaderMatchSpecifierOneofCase.PresentMatch:
                return new HeaderMatcher(config, Mode.Present, config.InvertMatch == config.PresentMatch, null);
            case Config.HeaderMatchSpecifierOneofCase.RangeMatch:
                return new HeaderMatcher(config, Mode.Range, config.InvertMatch, null);
            default:
                return new HeaderMatcher(config, Mode.Value, config.InvertMatch, ValueMatcherOf(config, field));
        }
    }

    public static HeaderMatcher[] CompileAll(IReadOnlyList<Config> configs, string field)
    {
        var matchers = new HeaderMatcher[configs.Count];
        for (var i = 0; i < matchers.Length; i++)
        {
            matchers[i] = Compile(configs[i], $"{field}[{i}]");
        }
        return matchers;
    }

    public static bool MatchAll(HeaderMatcher[] matchers, HeaderMap headers)
    {
        foreach (var matcher in matchers)
        {
            if (!matcher.Match(headers))
            {
                return false;
            }
        }
        return true;
    }

    public bool Match(HeaderMap headers)
    {
        var first = headers.IndexOf(_name, 0);
        if (first < 0)
        {
            return MatchMissing();
        }
        if (_mode == Mode.Present)
        {
            return !_invert;
        }
        for (var i = first; i >= 0; i = headers.IndexOf(_name, i + 1))
        {
            if (TestValue(headers.Value(i)))
            {
                return !_invert;
            }
        }
        return _invert;
    }

    private bool MatchMissing() => _mode == Mode.Present
        ? _invert
        : _missingAsEmpty && TestValue(default) != _invert;

    private bool TestValue(ReadOnlySpan<byte> value)
    {
        if (_mode == Mode.Value)
        {
            return _value!.Match(value);
        }
        if (value.Length > 0 && value[0] == '+')
        {
            value = value[1..];
        }
        return Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length
            && number >= _start && number < _end;
    }

    // The aliases are deprecated in the interface but still sent; an empty exact_match accepts any present value.
    private static StringMatcher ValueMatcherOf(Config config, string field) => config.HeaderMatchSpecifierCase switch
    {
        Config.HeaderMatchSpecifierOneofCase.StringMatch =>
            StringMatcher.Compile(config.StringMatch!.Value, $"{field}.string_match"),
        Config.HeaderMatchSpecifierOneofCase.ExactMatch =>
            config.ExactMatch.Length == 0 ? StringMatcher.Prefix("") : StringMatcher.Exact(config.ExactMatch),
        Config.HeaderMatchSpecifierOneofCase.PrefixMatch => StringMatcher.Prefix(config.PrefixMatch),
        Config.HeaderMatchSpecifierOneofCase.SuffixMatch => StringMatcher.Suffix(config.SuffixMatch),
        Config.HeaderMatchSpecifierOneofCase.ContainsMatch => StringMatcher.Contains(config.ContainsMatch),
        Config.HeaderMatchSpecifierOneofCase.SafeRegexMatch =>
            StringMatcher.Regex(config.SafeRegexMatch!.Value.Regex, $"{field}.safe_regex_match"),
        _ => throw new ConfigurationException($"{field}: the kind of match is unknown; use string_match."),
    };
}
