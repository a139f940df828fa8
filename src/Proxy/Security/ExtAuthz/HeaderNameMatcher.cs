using MeshProxy.Proxy.Matching;
using ListStringMatcher = Envoy.Type.Matcher.V3.ListStringMatcher;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>A set of header names.</summary>
internal sealed class HeaderNameMatcher
{
    public static readonly HeaderNameMatcher Nothing = new([], inverted: false);

    private readonly StringMatcher[] _matchers;
    private readonly bool _inverted;

    private HeaderNameMatcher(StringMatcher[] matchers, bool inverted)
    {
        _matchers = matchers;
        _inverted = inverted;
    }

    public bool Match(ReadOnlySpan<byte> name)
    {
        foreach (var matcher in _matchers)
        {
            if (matcher.Match(name))
            {
                return !_inverted;
            }
        }
        return _inverted;
    }

    /// <param name="always">Exact names beside those of the list.</param>
    public static HeaderNameMatcher Compile(ListStringMatcher? list, string field, params ReadOnlySpan<string> always)
    {
        var matchers = new List<StringMatcher>();
        if (list is { } given)
        {
            for (var i = 0; i < given.Patterns.Count; i++)
            {
                matchers.Add(StringMatcher.Compile(given.Patterns[i], $"{field}.patterns[{i}]"));
            }
        }
        foreach (var name in always)
        {
            matchers.Add(StringMatcher.Exact(name));
        }
        return matchers.Count == 0 ? Nothing : new HeaderNameMatcher([.. matchers], inverted: false);
    }

    public static HeaderNameMatcher AllBut(string name) => new([StringMatcher.Exact(name)], inverted: true);
}
