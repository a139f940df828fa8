namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Comparison of a DNS name with a name of a certificate (RFC 6125 6.4, as Envoy's dnsNameMatch).</summary>
internal static class DnsNames
{
    /// <summary>Whether <paramref name="pattern"/>, perhaps with one `*` in its first label, covers <paramref name="name"/>.</summary>
    public static bool Match(string name, string pattern)
    {
        if (name.Equals(pattern, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        var nameEnd = name.IndexOf('.');
        var patternEnd = pattern.IndexOf('.');
        if (nameEnd < 0 || patternEnd < 0
            || !name.AsSpan(nameEnd).Equals(pattern.AsSpan(patternEnd), StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        return MatchLabel(name.AsSpan(0, nameEnd), pattern.AsSpan(0, patternEnd));
    }

    private static bool MatchLabel(ReadOnlySpan<char> label, ReadOnlySpan<char> pattern)
    {
        if (pattern is "*")
        {
            return true;
        }
        var star = pattern.IndexOf('*');
        // An internationalised label must not be matched in part (RFC 6125 6.4.3).
        if (star < 0 || pattern.LastIndexOf('*') != star || pattern.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        return pattern.Length <= label.Length + 1
            && label.StartsWith(pattern[..star], StringComparison.OrdinalIgnoreCase)
            && label.EndsWith(pattern[(star + 1)..], StringComparison.OrdinalIgnoreCase);
    }
}
