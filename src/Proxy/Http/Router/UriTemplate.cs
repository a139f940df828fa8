using System.Text;
using System.Text.RegularExpressions;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// A URI template of `*` (one segment), `**` (any number, last) and variables `{name}`, `{name=pattern}`, compiled to a regular
/// expression with named groups (http-semantics 3.2).
/// </summary>
internal sealed class UriTemplate
{
    private const int MaxVariables = 5;
    private const int MaxNameLength = 16;

    /// <summary>One path segment of pchar (RFC 3986 3.3).</summary>
    private const string Segment = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=*]+";
    private const string Rest = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=*/]*";
    private const string LiteralCharacters = "-._~%!$&'()+,;:@=/";

    private readonly Regex _regex;

    private UriTemplate(Regex regex, IReadOnlyList<string> variables) => (_regex, Variables) = (regex, variables);

    public IReadOnlyList<string> Variables { get; }

    public bool IsMatch(ReadOnlySpan<byte> path)
    {
        Span<char> chars = path.Length <= 512 ? stackalloc char[512] : new char[path.Length];
        return _regex.IsMatch(chars[..Encoding.Latin1.GetChars(path, chars)]);
    }

    /// <summary>The values of the variables, or null when the path does not match.</summary>
    public Dictionary<string, string>? Capture(string path)
    {
        var match = _regex.Match(path);
        if (!match.Success)
        {
            return null;
        }
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Variables)
        {
            values[name] = match.Groups[name].Value;
        }
        return values;
    }

    public static UriTemplate Parse(string template, string field)
    {
        var variables = new List<string>();
        var pattern = new StringBuilder(@"\A");
        if (!template.StartsWith('/'))
        {
            throw Refused(field, template, "it must begin with /");
        }
        var sawRest = false;
        var at = 0;
        while (at < template.Length)
        {
            if (sawRest && template[at] is ('*' or '{'))
            {
                throw Refused(field, template, "** must be the last operator");
            }
            switch (template[at])
            {
                case '*':
                    sawRest |= Operator(template, ref at, pattern);
                    break;
                case '{':
                    sawRest |= Variable(template, ref at, pattern, variables, field);
                    break;
                default:
                    pattern.Append(Regex.Escape(Literal(template[at++], template, field).ToString()));
                    break;
            }
        }
        return new UriTemplate(
            new Regex(pattern.Append(@"\z").ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), variables);
    }

    /// <summary>A rewrite may name only variables of its match, and must begin with a slash.</summary>
    public static void CheckRewrite(string rewrite, IReadOnlyList<string> variables, string field)
    {
        if (!rewrite.StartsWith('/'))
        {
            throw Refused(field, rewrite, "it must begin with /");
        }
        for (var at = rewrite.IndexOf('{'); at >= 0; at = rewrite.IndexOf('{', at + 1))
        {
            var end = rewrite.IndexOf('}', at);
            var name = end < 0 ? "" : rewrite[(at + 1)..end];
            if (!variables.Contains(name))
            {
                throw Refused(field, rewrite, $"'{name}' is no variable of the match");
            }
        }
    }

    private static bool Operator(string template, ref int at, StringBuilder pattern)
    {
        var rest = at + 1 < template.Length && template[at + 1] == '*';
        pattern.Append(rest ? Rest : Segment);
        at += rest ? 2 : 1;
        return rest;
    }

    private static bool Variable(string template, ref int at, StringBuilder pattern, List<string> variables, string field)
    {
        var end = template.IndexOf('}', at);
        var inner = end < 0 ? throw Refused(field, template, "a { is not closed") : template[(at + 1)..end];
        at = end + 1;
        var equals = inner.IndexOf('=');
        var name = equals < 0 ? inner : inner[..equals];
        var value = equals < 0 ? "*" : inner[(equals + 1)..];
        if (name.Length is 0 or > MaxNameLength || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            throw Refused(field, template, $"'{name}' is no variable name (a letter, then letters, digits or _, at most 16)");
        }
        if (variables.Contains(name) || variables.Count == MaxVariables || value.Length == 0)
        {
            throw Refused(field, template, $"variables must be unique, at most {MaxVariables}, with a pattern");
        }
        variables.Add(name);
        pattern.Append("(?<").Append(name).Append('>');
        var sawRest = false;
        for (var i = 0; i < value.Length;)
        {
            if (sawRest)
            {
                throw Refused(field, template, "** must be the last operator");
            }
            if (value[i] == '*')
            {
                sawRest |= Operator(value, ref i, pattern);
            }
            else
            {
                pattern.Append(Regex.Escape(Literal(value[i++], template, field).ToString()));
            }
        }
        pattern.Append(')');
        return sawRest;
    }

    private static char Literal(char c, string template, string field) =>
        char.IsAsciiLetterOrDigit(c) || LiteralCharacters.Contains(c, StringComparison.Ordinal)
            ? c
            : throw Refused(field, template, $"'{c}' is not allowed in a path");

    private static ConfigurationException Refused(string field, string template, string rule) =>
        new($"{field}: the URI template '{template}' is refused: {rule}; correct it.");
}
