using System.Buffers;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Request targets (RFC 9112 3.2) with Envoy's two checks: bytes at parse time, the URL's parts where it is absolute.</summary>
internal static class Http1Target
{
    private static readonly SearchValues<byte> PathBytes = SearchValues.Create(
        "\t\f!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private static readonly SearchValues<byte> HostBytes = SearchValues.Create(
        "!$%&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~"u8);

    private static readonly SearchValues<byte> SchemeBytes = SearchValues.Create(
        "+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> RegisteredNameBytes = SearchValues.Create(
        "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create(".0123456789:ABCDEFabcdef%"u8);

    /// <summary>Whether the bytes may stand in a target at all; false is a codec error.</summary>
    public static bool IsValid(ReadOnlySpan<byte> target, bool isConnect)
    {
        if (target.IsEmpty)
        {
            return false;
        }
        if (target[0] is (byte)'/' or (byte)'*')
        {
            return !target.ContainsAnyExcept(PathBytes);
        }
        if (!isConnect)
        {
            var schemeEnd = target.IndexOfAnyExcept(SchemeBytes);
            if (schemeEnd <= 0 || !char.IsAsciiLetter((char)target[0]) || !target[schemeEnd..].StartsWith("://"u8))
            {
                return false;
            }
            target = target[(schemeEnd + 3)..];
        }
        var pathStart = target.IndexOfAny((byte)'/', (byte)'?');
        var host = pathStart < 0 ? target : target[..pathStart];
        var path = pathStart < 0 ? default : target[pathStart..];
        return !host.ContainsAnyExcept(HostBytes) && host.IndexOf("@@"u8) < 0 && !path.ContainsAnyExcept(PathBytes);
    }

    /// <summary>Cuts an absolute-form (or CONNECT's authority-form) target into its parts; false if a part is missing or bad.</summary>
    /// <param name="authority">Host and port without user information, in the case they came.</param>
    /// <param name="path">Path, query and fragment; `/` when there is none; empty for CONNECT.</param>
    public static bool TryParseAbsolute(
        ReadOnlySpan<byte> target, bool isConnect, out ReadOnlySpan<byte> scheme, out ReadOnlySpan<byte> authority,
        out ReadOnlySpan<byte> path)
    {
        scheme = default;
        authority = default;
        path = default;
        if (!isConnect)
        {
            var schemeEnd = target.IndexOf("://"u8);
            if (schemeEnd <= 0)
            {
                return false;
            }
            scheme = target[..schemeEnd];
            target = target[(schemeEnd + 3)..];
        }
        var pathStart = target.IndexOfAny("/?#"u8);
        authority = pathStart < 0 ? target : target[..pathStart];
        path = pathStart >= 0 ? target[pathStart..] : isConnect ? default : "/"u8;
        authority = authority[(authority.LastIndexOf((byte)'@') + 1)..];
        if (isConnect && !path.IsEmpty)
        {
            return false;
        }
        return IsHostAndPort(authority, isConnect);
    }

    private static bool IsHostAndPort(ReadOnlySpan<byte> authority, bool portRequired)
    {
        ReadOnlySpan<byte> rest;
        if (!authority.IsEmpty && authority[0] == '[')
        {
            var close = authority.IndexOf((byte)']');
            if (close <= 1 || authority[1..close].ContainsAnyExcept(AddressBytes))
            {
                return false;
            }
            rest = authority[(close + 1)..];
        }
        else
        {
            var hostEnd = authority.IndexOfAnyExcept(RegisteredNameBytes);
            hostEnd = hostEnd < 0 ? authority.Length : hostEnd;
            if (hostEnd == 0)
            {
                return false;
            }
            rest = authority[hostEnd..];
        }
        if (rest.IsEmpty)
        {
            return !portRequired;
        }
        return rest[0] == ':' && Http1HeadParser.TryParseLength(rest[1..], out var port) && port <= ushort.MaxValue;
    }

    /// <summary>Bytes an authority may hold (Envoy's HeaderUtility::authorityIsValid).</summary>
    public static bool IsAuthority(ReadOnlySpan<byte> authority) => !authority.ContainsAnyExcept(HostBytes);
}
