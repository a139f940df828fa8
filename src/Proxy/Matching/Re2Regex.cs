using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Matching;

/// <summary>A regular expression with RE2's syntax and its guarantee of linear time (RegexOptions.NonBacktracking).</summary>
public sealed class Re2Regex
{
    private const int StackChars = 512;

    private readonly Regex _full;
    private readonly Regex _part;

    private Re2Regex(Regex full, Regex part) => (_full, _part) = (full, part);

    /// <summary>Compiles a pattern; <paramref name="field"/> names the configuration field in the refusal.</summary>
    public static Re2Regex Compile(string pattern, string field)
    {
        const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
        try
        {
            var translated = Re2Syntax.Translate(pattern);
            return new Re2Regex(new Regex($@"\A(?:{translated})\z", Options), new Regex(translated, Options));
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException or FormatException)
        {
            throw new ConfigurationException(
                $"{field}: the regular expression '{pattern}' is not valid RE2 syntax ({error.Message}); correct it.", error);
        }
    }

    public bool FullMatch(ReadOnlySpan<byte> value) => IsMatch(_full, value);

    public bool FullMatch(ReadOnlySpan<char> value) => _full.IsMatch(value);

    /// <summary>Whether the pattern matches anywhere.</summary>
    public bool PartialMatch(ReadOnlySpan<byte> value) => IsMatch(_part, value);

    public bool PartialMatch(ReadOnlySpan<char> value) => _part.IsMatch(value);

    /// <summary>Replaces every match; `\0` to `\9` in <paramref name="substitution"/> are groups, `\\` a backslash (RE2::GlobalReplace).</summary>
    /// <returns>The value as it is when the substitution names a group that the pattern does not have.</returns>
    public string ReplaceAll(string value, string substitution) => HighestGroup(substitution) >= _part.GetGroupNumbers().Length
        ? value
        : _part.Replace(value, match => Expand(match, substitution));

    /// <summary>The text of the first group of the first match, or null when nothing matches.</summary>
    public string? FirstGroup(string value)
    {
        var match = _part.Match(value);
        return !match.Success ? null : match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
    }

    private static int HighestGroup(string substitution)
    {
        var highest = 0;
        for (var i = 0; i < substitution.Length - 1; i++)
        {
            if (substitution[i] == '\\' && char.IsAsciiDigit(substitution[++i]))
            {
                highest = Math.Max(highest, substitution[i] - '0');
            }
        }
        return highest;
    }

    private static string Expand(Match match, string substitution)
    {
        var text = new StringBuilder();
        for (var i = 0; i < substitution.Length; i++)
        {
            var c = substitution[i];
            if (c == '\\' && i + 1 < substitution.Length)
            {
                var next = substitution[++i];
                text.Append(char.IsAsciiDigit(next) ? match.Groups[next - '0'].Value : next.ToString());
                continue;
            }
            text.Append(c);
        }
        return text.ToString();
    }

    private static bool IsMatch(Regex regex, ReadOnlySpan<byte> value)
    {
        if (value.Length <= StackChars)
        {
            Span<char> chars = stackalloc char[StackChars];
            return regex.IsMatch(chars[..Encoding.UTF8.GetChars(value, chars)]);
        }
        var rented = ArrayPool<char>.Shared.Rent(value.Length);
        try
        {
            return regex.IsMatch(rented.AsSpan(0, Encoding.UTF8.GetChars(value, rented)));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
