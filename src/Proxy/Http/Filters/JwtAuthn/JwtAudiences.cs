namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>Audiences of which one must be in the token; none configured allows all. Scheme and final slash do not count.</summary>
internal sealed class JwtAudiences(IEnumerable<string> wanted)
{
    private readonly HashSet<string> _wanted = new(wanted.Select(Plain), StringComparer.Ordinal);

    public bool Allow(IReadOnlyList<string> audiences)
    {
        if (_wanted.Count == 0)
        {
            return true;
        }
        foreach (var audience in audiences)
        {
            if (_wanted.Contains(Plain(audience)))
            {
                return true;
            }
        }
        return false;
    }

    private static string Plain(string audience)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["https://", "http://"])
        {
            if (audience.StartsWith(scheme, StringComparison.Ordinal))
            {
                audience = audience[scheme.Length..];
                break;
            }
        }
        return audience.EndsWith('/') ? audience[..^1] : audience;
    }
}
