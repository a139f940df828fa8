using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Http;

/// <summary>`date` values (RFC 9110 5.6.7), formatted once a second and thread.</summary>
internal static class HttpDate
{
    [ThreadStatic]
    private static long t_second;

    [ThreadStatic]
    private static byte[]? t_text;

    public static ReadOnlySpan<byte> Of(DateTime time)
    {
        var second = time.Ticks / TimeSpan.TicksPerSecond;
        if (t_text is null || second != t_second)
        {
            t_second = second;
            t_text = Encoding.ASCII.GetBytes(time.ToString("r", CultureInfo.InvariantCulture));
        }
        return t_text;
    }
}
