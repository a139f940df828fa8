using System.Text;
using MeshProxy.Proxy.Configuration;
using Config = Envoy.Type.Matcher.V3.StringMatcher;
using XdsConfig = Xds.Type.Matcher.V3.StringMatcher;

namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled type.matcher.v3.StringMatcher. `ignore_case` compares ASCII letters without case; not for regular expressions.</summary>
public abstract class StringMatcher
{
    private const int StackBytes = 256;

    public abstract bool Match(ReadOnlySpan<byte> value);

    public bool Match(string value)
    {
        var size = Encoding.UTF8.GetMaxByteCount(value.Length);
        Span<byte> bytes = size <= StackBytes ? stackalloc byte[StackBytes] : new byte[size];
        return Match(bytes[..Encoding.UTF8.GetBytes(value, bytes)]);
    }

    public static StringMatcher Compile(Config config, string field) => config.MatchPatternCase switch
    {
        Config.MatchPatternOneofCase.Exact => Exact(config.Exact, config.IgnoreCase),
        Config.MatchPatternOneofCase.Prefix => new PrefixMatcher(config.Prefix, config.IgnoreCase),
        Config.MatchPatternOneofCase.Suffix => new SuffixMatcher(config.Suffix, config.IgnoreCase),
        Config.MatchPatternOneofCase.Contains => new ContainsMatcher(config.Contains, config.IgnoreCase),
        Config.MatchPatternOneofCase.SafeRegex => Regex(config.SafeRegex!.Value.Regex, $"{field}.safe_regex"),
        _ => throw Unsupported(field),
    };

    public static StringMatcher Compile(XdsConfig config, string field) => config.MatchPatternCase switch
    {
        XdsConfig.MatchPatternOneofCase.Exact => Exact(config.Exact, config.IgnoreCase),
        XdsConfig.MatchPatternOneofCase.Prefix => new PrefixMatcher(config.Prefix, config.IgnoreCase),
        XdsConfig.MatchPatternOneofCase.Suffix => new SuffixMatcher(config.Suffix, config.IgnoreCase),
        XdsConfig.MatchPatternOneofCase.Contains => new ContainsMatcher(config.Contains, config.IgnoreCase),
        XdsConfig.MatchPatternOneofCase.SafeRegex => Regex(config.SafeRegex!.Value.Regex, $"{field}.safe_regex"),
        _ => throw Unsupported(field),
    };

    public static StringMatcher Exact(string value, bool ignoreCase = false) => new ExactMatcher(value, ignoreCase);

    public static StringMatcher Prefix(string value, bool ignoreCase = false) => new PrefixMatcher(value, ignoreCase);

    public static StringMatcher Suffix(string value, bool ignoreCase = false) => new SuffixMatcher(value, ignoreCase);

    public static StringMatcher Contains(string value, bool ignoreCase = false) => new ContainsMatcher(value, ignoreCase);

    public static StringMatcher Regex(string pattern, string field) => new FullRegexMatcher(Re2Regex.Compile(pattern, field));

    private static ConfigurationException Unsupported(string field) => new(
        $"{field}: no supported match pattern is set; use exact, prefix, suffix, contains or safe_regex.");

    private static bool Same(ReadOnlySpan<byte> value, ReadOnlySpan<byte> wanted, bool ignoreCase) =>
        ignoreCase ? Ascii.EqualsIgnoreCase(value, wanted) : value.SequenceEqual(wanted);

    private sealed class ExactMatcher(string text, bool ignoreCase) : StringMatcher
    {
        private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

        public override bool Match(ReadOnlySpan<byte> value) => Same(value, _text, ignoreCase);
    }

    private sealed class PrefixMatcher(string text, bool ignoreCase) : StringMatcher
    {
        private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

        public override bool Match(ReadOnlySpan<byte> value) =>
            value.Length >= _text.Length && Same(value[.._text.Length], _text, ignoreCase);
    }

    private sealed class SuffixMatcher(string text, bool ignoreCase) : StringMatcher
    {
        private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

        public override bool Match(ReadOnlySpan<byte> value) =>
            value.Length >= _text.Length && Same(value[^_text.Length..], _text, ignoreCase);
    }

    private sealed class ContainsMatcher(string text, bool ignoreCase) : StringMatcher
    {
        private readonly byte[] _text = Encoding.UTF8.GetBytes(text);

        public override bool Match(ReadOnlySpan<byte> value)
        {
            if (!ignoreCase)
            {
                return value.IndexOf(_text) >= 0;
            }
            for (var i = 0; i + _text.Length <= value.Length; i++)
            {
                if (Ascii.EqualsIgnoreCase(value.Slice(i, _text.Length), _text))
                {
                    return true;
                }
            }
            return false;
        }
    }

    private sealed class FullRegexMatcher(Re2Regex regex) : StringMatcher
    {
        public override bool Match(ReadOnlySpan<byte> value) => regex.FullMatch(value);
    }
}
