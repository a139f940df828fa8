using System.Buffers.Text;
using System.Text;

namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>What routes, filters and answers must know of gRPC over HTTP/2.</summary>
public static class GrpcCommon
{
    /// <summary>Content type `application/grpc` or `application/grpc+…`; not grpc-web.</summary>
    public static bool IsGrpcRequest(HeaderMap headers)
    {
        var type = headers.Get(KnownHeader.ContentType);
        var prefix = "application/grpc"u8;
        return type.StartsWith(prefix) && (type.Length == prefix.Length || type[prefix.Length] == '+');
    }

    /// <summary>The grpc-status of headers or trailers; null when absent, -1 when it is no known code.</summary>
    public static int? Status(HeaderMap? headers)
    {
        if (headers is null || !headers.TryGet(KnownHeader.GrpcStatus, out var value) || value.IsEmpty)
        {
            return null;
        }
        return Utf8Parser.TryParse(value, out int status, out var used) && used == value.Length && status is >= 0 and <= 16
            ? status
            : -1;
    }

    /// <summary>`grpc-timeout`: up to 8 digits and a unit; null when absent or malformed. Units below a millisecond round up.</summary>
    public static TimeSpan? Timeout(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.GrpcTimeout, out var value) || value.Length is < 2 or > 9)
        {
            return null;
        }
        if (!Utf8Parser.TryParse(value, out uint amount, out var used) || used != value.Length - 1)
        {
            return null;
        }
        return value[^1] switch
        {
            (byte)'H' => TimeSpan.FromHours(amount),
            (byte)'M' => TimeSpan.FromMinutes(amount),
            (byte)'S' => TimeSpan.FromSeconds(amount),
            (byte)'m' => TimeSpan.FromMilliseconds(amount),
            (byte)'u' => TimeSpan.FromMilliseconds((amount + 999L) / 1000),
            (byte)'n' => TimeSpan.FromMilliseconds((amount + 999_999L) / 1_000_000),
            _ => null,
        };
    }

    /// <summary>Writes a timeout in milliseconds, in larger units when 8 digits do not hold it.</summary>
    public static void SetTimeout(HeaderMap headers, TimeSpan timeout)
    {
        const long MaxDigits = 99_999_999;
        var amount = (long)timeout.TotalMilliseconds;
        var unit = 'm';
        if (amount > MaxDigits)
        {
            amount /= 1000;
            unit = 'S';
        }
        if (amount > MaxDigits)
        {
            amount /= 60;
            unit = 'M';
        }
        headers.Set(KnownHeader.GrpcTimeout, $"{Math.Min(amount, MaxDigits)}{unit}");
    }

    /// <summary>grpc-message: bytes below 0x20, from 0x7F on and `%` are percent-encoded.</summary>
    public static string PercentEncode(ReadOnlySpan<byte> text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c is < 0x20 or >= 0x7F or (byte)'%')
            {
                encoded.Append('%').Append(c.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                encoded.Append((char)c);
            }
        }
        return encoded.ToString();
    }
}
