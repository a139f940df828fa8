using System.Text;

namespace MeshProxy.Proxy.Http;

/// <summary>Comma-separated lists in header values, compared without case.</summary>
public static class HeaderTokens
{
    public static bool Contains(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        while (Next(ref list, out var part))
        {
            if (Ascii.EqualsIgnoreCase(part, token))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Takes the next part, blanks around it removed; empty parts are skipped. False at the end.</summary>
    public static bool Next(ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> part)
    {
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            part = (comma < 0 ? list : list[..comma]).Trim(" \t"u8);
            list = comma < 0 ? default : list[(comma + 1)..];
            if (!part.IsEmpty)
            {
                return true;
            }
        }
        part = default;
        return false;
    }

    /// <summary>Whether the headers ask for, or grant, another protocol: `connection: upgrade` and an `upgrade` header.</summary>
    public static bool IsUpgrade(HeaderMap headers) =>
        headers.Contains(KnownHeader.Upgrade) && Contains(headers.Get(KnownHeader.Connection), "upgrade"u8);
}
