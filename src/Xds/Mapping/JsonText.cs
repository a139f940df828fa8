using System.Globalization;
using System.Text;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>Text forms of the proto3 JSON mapping. Parsers return null for what is not of the form.</summary>
internal static class JsonText
{
    private const int NanosecondDigits = 9;

    /// <summary>Nanoseconds of <c>[-]seconds[.fraction]s</c>.</summary>
    /// <exception cref="ProtobufException">More than 64 bits of nanoseconds.</exception>
    public static long? ParseDuration(string text)
    {
        if (text.Length < 2 || text[^1] != 's')
        {
            return null;
        }

        var isNegative = text[0] == '-';
        var number = text.AsSpan(isNegative ? 1 : 0, text.Length - (isNegative ? 2 : 1));
        var dot = number.IndexOf('.');
        var whole = dot < 0 ? number : number[..dot];
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || ParseFraction(dot < 0 ? "0" : number[(dot + 1)..]) is not { } nanoseconds)
        {
            return null;
        }

        return Durations.FromParts(isNegative ? -seconds : seconds, isNegative ? -nanoseconds : nanoseconds);
    }

    public static string FormatDuration(long nanoseconds)
    {
        var (seconds, rest) = Math.DivRem(nanoseconds, Durations.NanosecondsPerSecond);
        return $"{(nanoseconds < 0 ? "-" : "")}{Math.Abs(seconds)}{FormatFraction((int)Math.Abs(rest))}s";
    }

    /// <summary>RFC 3339 with up to nine decimals.</summary>
    public static Message? ParseTimestamp(string text)
    {
        var dot = text.IndexOf('.');
        var end = dot < 0 ? -1 : text.AsSpan(dot + 1).IndexOfAnyExceptInRange('0', '9') + dot + 1;
        var nanoseconds = dot < 0 ? 0 : end <= dot ? null : ParseFraction(text.AsSpan((dot + 1)..end));
        var withoutFraction = dot < 0 || end <= dot ? text : text[..dot] + text[end..];
        const string Form = "yyyy-MM-dd'T'HH:mm:ssK";
        return nanoseconds is { } fraction
            && DateTimeOffset.TryParseExact(
                withoutFraction, Form, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Timestamps.FromParts(time.ToUnixTimeSeconds(), fraction)
            : null;
    }

    public static string FormatTimestamp(Message timestamp)
    {
        var (seconds, nanoseconds) = Timestamps.Parts(timestamp);
        var time = Timestamps.ToDateTimeOffset(Timestamps.FromParts(seconds, 0));
        return time.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) + FormatFraction(nanoseconds) + "Z";
    }

    /// <summary>Base64 in either alphabet, padded or not.</summary>
    public static byte[]? ParseBytes(string text)
    {
        var standard = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
        var padded = standard.PadRight((standard.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var length) && !standard.AsSpan().ContainsAny(" \t\r\n")
            ? bytes[..length]
            : null;
    }

    public static string ToSnakeCase(string camel)
    {
        var result = new StringBuilder(camel.Length);
        foreach (var c in camel)
        {
            if (char.IsAsciiLetterUpper(c))
            {
                result.Append('_');
            }

            result.Append(char.ToLowerInvariant(c));
        }

        return result.ToString();
    }

    private static int? ParseFraction(ReadOnlySpan<char> digits)
    {
        if (digits.Length is 0 or > NanosecondDigits
            || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        for (var i = digits.Length; i < NanosecondDigits; i++)
        {
            value *= 10;
        }

        return value;
    }

    /// <summary>Nothing, or three, six or nine decimals, as protobuf prints them.</summary>
    private static string FormatFraction(int nanoseconds)
    {
        if (nanoseconds == 0)
        {
            return "";
        }

        var digits = nanoseconds.ToString("D9", CultureInfo.InvariantCulture);
        return "." + (digits.EndsWith("000000", StringComparison.Ordinal) ? digits[..3]
            : digits.EndsWith("000", StringComparison.Ordinal) ? digits[..6]
            : digits);
    }
}
