using System.Collections.Frozen;
using System.Text;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Methods accepted without allow_custom_methods: Envoy's list, case-sensitive.</summary>
internal static class Http1Methods
{
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Known = new[]
    {
        "ACL", "BIND", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "MERGE", "MKACTIVITY",
        "MKCALENDAR", "MKCOL", "MOVE", "MSEARCH", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE",
        "PUT", "QUERY", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK",
        "UNSUBSCRIBE",
    }.ToFrozenSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Length of the longest known method.</summary>
    private const int Longest = 11;

    public static bool IsKnown(ReadOnlySpan<byte> method)
    {
        if (method.SequenceEqual("GET"u8) || method.SequenceEqual("POST"u8))
        {
            return true;
        }
        if (method.Length is 0 or > Longest)
        {
            return false;
        }
        Span<char> text = stackalloc char[method.Length];
        Encoding.Latin1.GetChars(method, text);
        return Known.Contains(text);
    }

    /// <summary>Whether a known method begins with that byte: the first byte of a request already refuses what is no HTTP.</summary>
    public static bool CanBegin(byte first) => "ABCDGHLMNOPQRSTU"u8.Contains(first);
}
