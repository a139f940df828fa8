using System.Text;

namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>The static table of RFC 7541 appendix A; indices begin at 1.</summary>
internal static class StaticTable
{
    public const int Count = 61;

    private static readonly byte[][] Names = new byte[Count + 1][];
    private static readonly byte[][] Values = new byte[Count + 1][];
    private static readonly KnownHeader[] KnownNames = new KnownHeader[Count + 1];
    private static readonly byte[] FirstIndex = new byte[KnownHeaders.Count];

    static StaticTable()
    {
        ReadOnlySpan<string> entries =
        [
            "", ":authority", ":method GET", ":method POST", ":path /", ":path /index.html", ":scheme http", ":scheme https",
            ":status 200", ":status 204", ":status 206", ":status 304", ":status 400", ":status 404", ":status 500",
            "accept-charset", "accept-encoding gzip, deflate", "accept-language", "accept-ranges", "accept",
            "access-control-allow-origin", "age", "allow", "authorization", "cache-control", "content-disposition",
            "content-encoding", "content-language", "content-length", "content-location", "content-range", "content-type",
            "cookie", "date", "etag", "expect", "expires", "from", "host", "if-match", "if-modified-since", "if-none-match",
            "if-range", "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate",
            "proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie",
            "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
        ];
        for (var i = 0; i <= Count; i++)
        {
            var cut = entries[i].IndexOf(' ', StringComparison.Ordinal);
            Names[i] = Encoding.ASCII.GetBytes(cut < 0 ? entries[i] : entries[i][..cut]);
            Values[i] = cut < 0 ? [] : Encoding.ASCII.GetBytes(entries[i][(cut + 1)..]);
            KnownNames[i] = KnownHeaders.Find(Names[i]);
            if (KnownNames[i] != KnownHeader.None && FirstIndex[(int)KnownNames[i]] == 0)
            {
                FirstIndex[(int)KnownNames[i]] = (byte)i;
            }
        }
    }

    public static ReadOnlySpan<byte> Name(int index) => Names[index];

    public static ReadOnlySpan<byte> Value(int index) => Values[index];

    public static KnownHeader Known(int index) => KnownNames[index];

    /// <summary>Index of the first entry of that name; 0 if the table has none.</summary>
    public static int NameIndex(KnownHeader header) => FirstIndex[(int)header];

    /// <summary>Index of the entry of exactly that name and value; 0 if there is none.</summary>
    public static int Find(KnownHeader header, ReadOnlySpan<byte> value)
    {
        for (var i = NameIndex(header); i is > 0 and <= Count && KnownNames[i] == header; i++)
        {
            if (value.SequenceEqual(Values[i]))
            {
                return i;
            }
        }
        return 0;
    }
}
