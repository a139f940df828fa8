using System.Text;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>What the `connection` header of a request demands of the next hop (RFC 9110 7.6.1), with Envoy's limits.</summary>
internal static class ConnectionHeader
{
    /// <summary>A request that nominates this many headers is refused (Envoy: MAX_ALLOWED_NOMINATED_HEADERS).</summary>
    private const int MaxNominated = 10;

    /// <summary>A nominated `te` this long is refused (Envoy: MAX_ALLOWED_TE_VALUE_SIZE).</summary>
    private const int MaxTeLength = 256;

    /// <summary>Removes what `connection` nominates; false if the request must be refused.</summary>
    public static bool Sanitize(HeaderMap headers)
    {
        if (CountParts(headers.Get(KnownHeader.Connection)) >= MaxNominated)
        {
            return false;
        }
        var list = headers.Get(KnownHeader.Connection).ToArray();
        var kept = new byte[list.Length].AsSpan();
        var keptLength = 0;
        ReadOnlySpan<byte> rest = list;
        while (HeaderTokens.Next(ref rest, out var token))
        {
            if (IsForbidden(token))
            {
                return false;
            }
            if (!IsOption(token))
            {
                if (!TryRemove(headers, token, out var keep))
                {
                    return false;
                }
                if (!keep)
                {
                    continue;
                }
            }
            if (keptLength > 0)
            {
                kept[keptLength++] = (byte)',';
            }
            token.CopyTo(kept[keptLength..]);
            keptLength += token.Length;
        }
        SetOrRemove(headers, kept[..keptLength]);
        return true;
    }

    /// <summary>Whether <see cref="Sanitize"/> has anything to do: only `close`, `keep-alive` and the like need no work.</summary>
    public static bool NominatesNothing(ReadOnlySpan<byte> list)
    {
        while (HeaderTokens.Next(ref list, out var token))
        {
            if (!IsOption(token))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Forgets an upgrade that is not wanted: the header, and its tokens in `connection`.</summary>
    public static void RemoveUpgrade(HeaderMap headers, bool http2Settings)
    {
        headers.Remove(KnownHeader.Upgrade);
        var list = headers.Get(KnownHeader.Connection).ToArray();
        var kept = new byte[list.Length];
        var keptLength = 0;
        ReadOnlySpan<byte> rest = list;
        while (HeaderTokens.Next(ref rest, out var token))
        {
            if (Ascii.EqualsIgnoreCase(token, "upgrade"u8)
                || (http2Settings && Ascii.EqualsIgnoreCase(token, "http2-settings"u8)))
            {
                continue;
            }
            if (keptLength > 0)
            {
                kept[keptLength++] = (byte)',';
            }
            token.CopyTo(kept.AsSpan(keptLength));
            keptLength += token.Length;
        }
        SetOrRemove(headers, kept.AsSpan(0, keptLength));
        if (http2Settings)
        {
            headers.Remove(KnownHeader.Http2Settings);
        }
    }

    private static void SetOrRemove(HeaderMap headers, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            headers.Remove(KnownHeader.Connection);
        }
        else
        {
            headers.Set(KnownHeader.Connection, value);
        }
    }

    private static int CountParts(ReadOnlySpan<byte> list)
    {
        var count = 0;
        while (HeaderTokens.Next(ref list, out _))
        {
            count++;
        }
        return count;
    }

    private static bool IsOption(ReadOnlySpan<byte> token) =>
        Ascii.EqualsIgnoreCase(token, "close"u8) || Ascii.EqualsIgnoreCase(token, "keep-alive"u8)
        || Ascii.EqualsIgnoreCase(token, "upgrade"u8) || Ascii.EqualsIgnoreCase(token, "http2-settings"u8);

    // Removing these would hide where a request came from; pseudo headers are never fields.
    private static bool IsForbidden(ReadOnlySpan<byte> token) =>
        token[0] == ':' || Ascii.EqualsIgnoreCase(token, "x-forwarded-for"u8)
        || Ascii.EqualsIgnoreCase(token, "x-forwarded-host"u8) || Ascii.EqualsIgnoreCase(token, "x-forwarded-proto"u8);

    private static bool TryRemove(HeaderMap headers, ReadOnlySpan<byte> name, out bool keep)
    {
        keep = false;
        switch (KnownHeaders.Find(name))
        {
            case KnownHeader.Connection:
                return true;
            case KnownHeader.Host:
                headers.Remove(KnownHeader.Authority);
                return true;
            case KnownHeader.Te:
                var value = headers.Get(KnownHeader.Te);
                if (value.Length >= MaxTeLength)
                {
                    return false;
                }
                if (HeaderTokens.Contains(value, "trailers"u8))
                {
                    headers.Set(KnownHeader.Te, "trailers"u8);
                    keep = true;
                    return true;
                }
                break;
        }
        headers.Remove(name);
        return true;
    }
}
