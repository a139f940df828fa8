using System.Buffers.Text;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Host normalisation: trailing dot and port (http-semantics 9).</summary>
internal static class HostNormalizer
{
    /// <summary>Removes one dot at the end of the name, also before a port.</summary>
    public static void StripTrailingDot(HeaderMap headers)
    {
        var host = headers.Get(KnownHeader.Authority);
        if (host.EndsWith("."u8))
        {
            Set(headers, host[..^1], default);
            return;
        }
        var colon = HeaderUtility.PortStart(host);
        if (colon > 0 && host[colon - 1] == '.')
        {
            Set(headers, host[..(colon - 1)], host[colon..]);
        }
    }

    /// <summary>Removes the port, or only <paramref name="onlyPort"/>; the port removed, or null.</summary>
    public static int? StripPort(HeaderMap headers, int? onlyPort)
    {
        var host = headers.Get(KnownHeader.Authority);
        var colon = HeaderUtility.PortStart(host);
        if (colon < 0 || !Utf8Parser.TryParse(host[(colon + 1)..], out ushort port, out var used) || used != host.Length - colon - 1)
        {
            return null;
        }
        if (onlyPort is { } only && only != port)
        {
            return null;
        }
        Set(headers, host[..colon], default);
        return port;
    }

    private static void Set(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> rest)
    {
        Span<byte> host = name.Length + rest.Length <= 256 ? stackalloc byte[256] : new byte[name.Length + rest.Length];
        name.CopyTo(host);
        rest.CopyTo(host[name.Length..]);
        headers.Set(KnownHeader.Authority, host[..(name.Length + rest.Length)]);
    }
}
