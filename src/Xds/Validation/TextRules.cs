using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Validation;

/// <summary>Rules of text and bytes.</summary>
internal static class TextRules
{
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    /// <summary>The broken rule, or null.</summary>
    public static string? Check(FieldRules rules, object value) =>
        value is string text ? CheckText(rules, text) : CheckLength(rules, ((byte[])value).Length, "bytes");

    private static string? CheckText(FieldRules rules, string text)
    {
        if (rules.IgnoreEmpty && text.Length == 0)
        {
            return null;
        }

        return CheckLength(rules, LengthOf(text), "characters")
            ?? CheckBytes(rules, text)
            ?? CheckContent(rules, text)
            ?? CheckHeader(rules, text);
    }

    private static string? CheckLength(FieldRules rules, int length, string unit) =>
        length < rules.MinimumLength
            ? rules.MinimumLength == 1 ? "must not be empty" : $"must have at least {rules.MinimumLength} {unit}"
            : length > rules.MaximumLength ? $"must have at most {rules.MaximumLength} {unit}, it has {length}"
            : null;

    private static string? CheckBytes(FieldRules rules, string text) =>
        rules.MaximumBytes is { } most && Encoding.UTF8.GetByteCount(text) > most ? $"must have at most {most} bytes" : null;

    private static string? CheckContent(FieldRules rules, string text) =>
        rules.Prefix is { } prefix && !text.StartsWith(prefix, StringComparison.Ordinal) ? $"must begin with {prefix}"
        : rules.Suffix is { } suffix && !text.EndsWith(suffix, StringComparison.Ordinal) ? $"must end with {suffix}"
        : rules.In is { } allowed && !allowed.Contains(text) ? $"must be one of {string.Join(", ", allowed)}"
        : rules.Pattern is { } pattern && !PatternOf(pattern).IsMatch(text) ? $"must match {pattern}"
        : null;

    private static string? CheckHeader(FieldRules rules, string text) => rules.WellKnownRegex switch
    {
        null => null,
        _ when !rules.Strict => HeaderText.IsHarmless(text) ? null : "must not contain line breaks or NUL",
        "HTTP_HEADER_NAME" => HeaderText.IsName(text) ? null : "must be a header name",
        _ => HeaderText.IsValue(text) ? null : "must be a header value",
    };

    /// <summary>In code points, as the rules count.</summary>
    private static int LengthOf(string text)
    {
        var length = text.Length;
        foreach (var c in text)
        {
            length -= char.IsLowSurrogate(c) ? 1 : 0;
        }

        return length;
    }

    /// <summary>The rules are written for RE2, whose $ is the very end.</summary>
    private static Regex PatternOf(string pattern) => Patterns.GetOrAdd(pattern, static text => new Regex(
        text.EndsWith('$') && !text.EndsWith("\\$", StringComparison.Ordinal) ? text[..^1] + "\\z" : text,
        RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
}
