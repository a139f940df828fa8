using System.Text.RegularExpressions;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// Finds a tag by regular expression: the first group is removed from the name, the second (or the first) is the value.
/// Expressions are ECMAScript's with POSIX classes, as std::regex reads them.
/// </summary>
internal sealed class RegexTagExtractor : TagExtractor
{
    private static readonly (string Posix, string Set)[] PosixClasses =
    [
        ("[:digit:]", "0-9"), ("[:alpha:]", "a-zA-Z"), ("[:alnum:]", "a-zA-Z0-9"), ("[:upper:]", "A-Z"), ("[:lower:]", "a-z"),
        ("[:space:]", "\\s"), ("[:xdigit:]", "0-9a-fA-F"), ("[:punct:]", "!-/:-@\\[-`{-~"), ("[:blank:]", " \\t"),
    ];

    private readonly Regex _regex;
    private readonly string _required;
    private readonly string? _excluded;

    /// <param name="required">A text without which the expression cannot match; saves running it.</param>
    /// <param name="excluded">A first part of names that are left alone.</param>
    public RegexTagExtractor(string tagName, string pattern, string required = "", string? excluded = null)
        : base(tagName)
    {
        _required = required;
        _excluded = excluded;
        try
        {
            _regex = new Regex(Translate(pattern), RegexOptions.CultureInvariant);
        }
        catch (ArgumentException error)
        {
            throw new ConfigurationException(
                $"The tag {tagName} has the regular expression '{pattern}', which is not valid ({error.Message}); correct stats_config.stats_tags.",
                error);
        }
        FirstToken = LeadingToken(pattern);
    }

    public override string FirstToken { get; }

    public override bool TryExtract(string name, out string value, out Range removed)
    {
        value = "";
        removed = default;
        if ((_required.Length > 0 && !name.Contains(_required, StringComparison.Ordinal))
            || (_excluded is not null && name.StartsWith(_excluded, StringComparison.Ordinal)))
        {
            return false;
        }
        var match = _regex.Match(name);
        if (!match.Success || match.Groups.Count < 2 || !match.Groups[1].Success)
        {
            return false;
        }
        var remove = match.Groups[1];
        var kept = match.Groups.Count > 2 && match.Groups[2].Success ? match.Groups[2] : remove;
        value = kept.Value;
        removed = remove.Index..(remove.Index + remove.Length);
        return true;
    }

    private static string Translate(string pattern)
    {
        foreach (var (posix, set) in PosixClasses)
        {
            pattern = pattern.Replace(posix, set, StringComparison.Ordinal);
        }
        return pattern;
    }

    // `^cluster\.` can only match names whose first token is `cluster`.
    private static string LeadingToken(string pattern)
    {
        if (!pattern.StartsWith('^'))
        {
            return "";
        }
        var end = 1;
        while (end < pattern.Length && (char.IsAsciiLetterOrDigit(pattern[end]) || pattern[end] == '_'))
        {
            end++;
        }
        return pattern.AsSpan(end).StartsWith("\\.") ? pattern[1..end] : "";
    }
}
