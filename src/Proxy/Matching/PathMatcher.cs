namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled type.matcher.v3.PathMatcher: the path without query and fragment.</summary>
public sealed class PathMatcher(StringMatcher matcher)
{
    public static PathMatcher Compile(Envoy.Type.Matcher.V3.PathMatcher config, string field) =>
        new(StringMatcher.Compile(config.Path ?? Envoy.Type.Matcher.V3.StringMatcher.New(), $"{field}.path"));

    public bool Match(ReadOnlySpan<byte> path)
    {
        var end = path.IndexOfAny((byte)'?', (byte)'#');
        return matcher.Match(end < 0 ? path : path[..end]);
    }
}
