namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// Matches a name token by token against a pattern: `*` is any token, `$` the tag's value, `@` (`$@`) a token (the value) or an address with dots
/// (`127.0.0.1_80`), `**` any number of tokens. Removes the value's token and one dot.
/// </summary>
internal sealed class TokenTagExtractor(string tagName, string pattern) : TagExtractor(tagName)
{
    private readonly string[] _pattern = pattern.Split('.');

    public override string FirstToken => _pattern[0] is "*" or "$" or "**" ? "" : _pattern[0];

    public override bool TryExtract(string name, out string value, out Range removed)
    {
        var start = -1;
        var end = -1;
        if (!Matches(name, 0, 0, ref start, ref end) || start < 0)
        {
            value = "";
            removed = default;
            return false;
        }
        value = name[start..end];
        removed = end < name.Length ? start..(end + 1) : Math.Max(0, start - 1)..end;
        return true;
    }

    private bool Matches(string name, int at, int step, ref int start, ref int end)
    {
        if (step == _pattern.Length)
        {
            return at > name.Length;
        }
        var token = _pattern[step];
        if (token == "**")
        {
            return step == _pattern.Length - 1 || MatchesAnywhere(name, at, step + 1, ref start, ref end);
        }
        if (at > name.Length)
        {
            return false;
        }
        var dot = token is "@" or "$@" ? AddressEnd(name, at) : name.IndexOf('.', at);
        var last = dot < 0 ? name.Length : dot;
        if (token is "$" or "$@")
        {
            start = at;
            end = last;
        }
        else if (token is not ("*" or "@") && !name.AsSpan(at, last - at).SequenceEqual(token))
        {
            return false;
        }
        return Matches(name, last + 1, step + 1, ref start, ref end);
    }

    private bool MatchesAnywhere(string name, int at, int step, ref int start, ref int end)
    {
        for (; at <= name.Length; at = NextToken(name, at))
        {
            if (Matches(name, at, step, ref start, ref end))
            {
                return true;
            }
        }
        return false;
    }

    private static int NextToken(string name, int at)
    {
        var dot = name.IndexOf('.', at);
        return dot < 0 ? name.Length + 1 : dot + 1;
    }

    // An IPv4 address with port has dots of its own: three, then digits, an underscore, digits.
    private static int AddressEnd(string name, int at)
    {
        var end = at;
        var dots = 0;
        while (end < name.Length && (char.IsAsciiDigit(name[end]) || (name[end] == '.' && dots < 3)))
        {
            dots += name[end] == '.' ? 1 : 0;
            end++;
        }
        return dots == 3 && end < name.Length && name[end] == '_' ? name.IndexOf('.', end) : name.IndexOf('.', at);
    }
}
