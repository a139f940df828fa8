namespace MeshProxy.Proxy.Http.Router;

/// <summary>Reads single cookies of `cookie` headers (RFC 6265 4.2).</summary>
internal static class Cookies
{
    /// <summary>The value of the first cookie of that name, quotes removed.</summary>
    public static bool TryGet(HeaderMap headers, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        for (var i = headers.IndexOf(KnownHeader.Cookie, 0); i >= 0; i = headers.IndexOf(KnownHeader.Cookie, i + 1))
        {
            var rest = headers.Value(i);
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf((byte)';');
                var item = (end < 0 ? rest : rest[..end]).TrimStart((byte)' ');
                var equals = item.IndexOf((byte)'=');
                if (equals >= 0 && item[..equals].SequenceEqual(name))
                {
                    value = Unquoted(item[(equals + 1)..]);
                    return true;
                }
                rest = end < 0 ? default : rest[(end + 1)..];
            }
        }
        value = default;
        return false;
    }

    private static ReadOnlySpan<byte> Unquoted(ReadOnlySpan<byte> value) =>
        value.Length >= 2 && value[0] == '"' && value[^1] == '"' ? value[1..^1] : value;
}
