using System.Net;
using System.Text;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Reads and writes x-forwarded-for (http-semantics 10).</summary>
internal static class ForwardedFor
{
    /// <summary>The address <paramref name="skip"/> entries from the right; null when it is missing or no bare address. <paramref name="single"/>: it was the only one.</summary>
    public static IPAddress? FromRight(HeaderMap headers, uint skip, out bool single)
    {
        single = false;
        if (!headers.TryGet(KnownHeader.XForwardedFor, out var list))
        {
            return null;
        }
        var rest = list;
        for (var left = skip; ; left--)
        {
            var comma = rest.LastIndexOf((byte)',');
            var entry = rest[(comma + 1)..];
            if (left == 0)
            {
                single = comma < 0 && skip == 0;
                return Parse(entry.Trim(" \t"u8));
            }
            if (comma < 0)
            {
                return null;
            }
            rest = rest[..comma];
        }
    }

    /// <summary>Walks from the right over trusted addresses to the first that is not; the leftmost when all are. <paramref name="single"/>: there was one only.</summary>
    public static IPAddress? FirstUntrusted(HeaderMap headers, CidrRange[] trusted, out bool single)
    {
        single = false;
        if (!headers.TryGet(KnownHeader.XForwardedFor, out var rest))
        {
            return null;
        }
        while (true)
        {
            var comma = rest.LastIndexOf((byte)',');
            if (Parse(rest[(comma + 1)..].Trim(" \t"u8)) is not { } address)
            {
                return null;
            }
            if (comma < 0 || !CidrRange.AnyContains(trusted, address))
            {
                single = comma < 0 && rest.Length == headers.Get(KnownHeader.XForwardedFor).Length;
                return address;
            }
            rest = rest[..comma];
        }
    }

    public static void Append(HeaderMap headers, IPAddress address)
    {
        Span<byte> text = stackalloc byte[64];
        Unmapped(address).TryFormat(text, out var length);
        HeaderUtility.Append(headers, KnownHeader.XForwardedFor, default, text[..length]);
    }

    public static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    // An address as inet_pton reads it: no port, no brackets, no leading zeros, no zone.
    private static IPAddress? Parse(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.IndexOfAny("[]%"u8) >= 0 || text.Length > 45)
        {
            return null;
        }
        if (!text.Contains((byte)':') && !IsDottedQuad(text))
        {
            return null;
        }
        Span<char> chars = stackalloc char[text.Length];
        Encoding.Latin1.GetChars(text, chars);
        return IPAddress.TryParse(chars, out var address) ? address : null;
    }

    private static bool IsDottedQuad(ReadOnlySpan<byte> text)
    {
        var dots = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '.')
            {
                dots++;
            }
            else if (!char.IsAsciiDigit((char)c)
                || (c == '0' && (i == 0 || text[i - 1] == '.') && i + 1 < text.Length && text[i + 1] != '.'))
            {
                return false;
            }
        }
        return dots == 3;
    }
}
