using System.Globalization;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>Identifiers of traces and spans: random 64-bit numbers written in hexadecimal.</summary>
internal static class TraceIds
{
    /// <summary>A new one; never zero, which means "none" everywhere.</summary>
    public static ulong New()
    {
        var id = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        return id == 0 ? 1 : id;
    }

    public static string Text(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Up to 16 hexadecimal digits and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong id)
    {
        id = 0;
        if (text.IsEmpty || text.Length > 16)
        {
            return false;
        }
        foreach (var digit in text)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }
            var value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
            id = (id << 4) | (uint)value;
        }
        return true;
    }
}
