using System.Text;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>Changes to the query of a request's path.</summary>
internal static class QueryParameters
{
    /// <summary>Takes a parameter out; an empty query loses its question mark.</summary>
    public static void Remove(HeaderMap headers, ReadOnlySpan<byte> name)
    {
        if (!headers.TryGet(KnownHeader.Path, out var path) || path.IndexOf((byte)'?') is not (var query and >= 0))
        {
            return;
        }
        var text = Encoding.Latin1.GetString(path);
        var wanted = Encoding.Latin1.GetString(name);
        var kept = text[(query + 1)..].Split('&').Where(p => p != wanted && !p.StartsWith(wanted + "=", StringComparison.Ordinal));
        var rest = string.Join('&', kept);
        headers.Set(KnownHeader.Path, rest.Length == 0 ? text[..query] : $"{text[..query]}?{rest}");
    }
}
