namespace MeshProxy.Proxy.Http;

/// <summary>Small operations on header maps that several rooms need.</summary>
public static class HeaderUtility
{
    /// <summary>Adds a value: to the line that is there for single-line headers, else as a line of its own.</summary>
    public static void Append(HeaderMap headers, KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var index = KnownHeaders.IsJoined(known) ? headers.IndexOf(known, 0) : -1;
        if (index < 0)
        {
            if (known == KnownHeader.None)
            {
                headers.Add(name, value);
            }
            else
            {
                headers.Add(known, value);
            }
            return;
        }
        var old = headers.Value(index);
        var separator = old.IsEmpty || value.IsEmpty ? default : known == KnownHeader.Cookie ? "; "u8 : ","u8;
        var length = old.Length + separator.Length + value.Length;
        Span<byte> joined = length <= 512 ? stackalloc byte[512] : new byte[length];
        old.CopyTo(joined);
        separator.CopyTo(joined[old.Length..]);
        value.CopyTo(joined[(old.Length + separator.Length)..]);
        headers.Replace(index, joined[..length]);
    }

    /// <summary>The path before `?`.</summary>
    public static ReadOnlySpan<byte> PathWithoutQuery(ReadOnlySpan<byte> path)
    {
        var end = path.IndexOf((byte)'?');
        return end < 0 ? path : path[..end];
    }

    /// <summary>Position of the colon before the port of an authority; -1 if it has none. `[::1]:80` has its colon after the bracket.</summary>
    public static int PortStart(ReadOnlySpan<byte> host)
    {
        var colon = host.LastIndexOf((byte)':');
        return colon >= 0 && host.LastIndexOf((byte)']') < colon && !IsBareIpv6(host, colon) ? colon : -1;
    }

    /// <summary>The three digits of `:status`; 0 when there is none or it is no number.</summary>
    public static int Status(HeaderMap headers) =>
        System.Buffers.Text.Utf8Parser.TryParse(headers.Get(KnownHeader.Status), out int code, out _) ? code : 0;

    // Two colons without brackets: an address without a port.
    private static bool IsBareIpv6(ReadOnlySpan<byte> host, int lastColon) =>
        !host.Contains((byte)']') && host[..lastColon].Contains((byte)':');
}
