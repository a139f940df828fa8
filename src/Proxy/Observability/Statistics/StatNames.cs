namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>How parts of stat names are cleaned.</summary>
public static class StatNames
{
    /// <summary>
    /// Envoy replaces `:` (line-based sinks and readers split on it) and `://`, and NUL characters, by underscores. Other
    /// characters stay.
    /// </summary>
    public static string Sanitize(string name)
    {
        if (name.AsSpan().IndexOfAny(':', '\0') < 0)
        {
            return name;
        }
        return name.Replace("://", "_", StringComparison.Ordinal).Replace(":/", "_", StringComparison.Ordinal)
            .Replace(':', '_').Replace('\0', '_');
    }
}
