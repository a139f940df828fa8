namespace MeshProxy.Proxy.Http.Router;

/// <summary>Reads a query string as it stands: split at `&amp;`, no percent-decoding, the first of equal names counts.</summary>
internal static class QueryString
{
    public static bool TryGet(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (!query.IsEmpty)
        {
            var ampersand = query.IndexOf((byte)'&');
            var item = ampersand < 0 ? query : query[..ampersand];
            var equals = item.IndexOf((byte)'=');
            if ((equals < 0 ? item : item[..equals]).SequenceEqual(name))
            {
                value = equals < 0 ? default : item[(equals + 1)..];
                return true;
            }
            query = ampersand < 0 ? default : query[(ampersand + 1)..];
        }
        value = default;
        return false;
    }
}
