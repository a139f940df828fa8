using System.Globalization;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Texts of durations (`1h30m`, `5400s`) and timestamps (RFC 3339).</summary>
internal static class CelTime
{
    public static string DurationText(TimeSpan duration)
    {
        var seconds = duration.Ticks / TimeSpan.TicksPerSecond;
        var rest = Math.Abs(duration.Ticks % TimeSpan.TicksPerSecond);
        var fraction = rest == 0 ? "" : "." + rest.ToString("0000000", CultureInfo.InvariantCulture).TrimEnd('0');
        var sign = duration < TimeSpan.Zero && seconds == 0 ? "-" : "";
        return $"{sign}{seconds}{fraction}s";
    }

    public static string TimestampText(DateTime utc)
    {
        var rest = utc.Ticks % TimeSpan.TicksPerSecond;
        var fraction = rest == 0 ? "" : "." + rest.ToString("0000000", CultureInfo.InvariantCulture).TrimEnd('0');
        return utc.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture) + fraction + "Z";
    }

    public static bool TryParseTimestamp(string text, out DateTime utc)
    {
        var parsed = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time);
        utc = time.UtcDateTime;
        return parsed;
    }

    /// <summary>A sequence of numbers with units h, m, s, ms, us, ns, as Go writes durations.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var at = text.StartsWith('-') || text.StartsWith('+') ? 1 : 0;
        if (at == text.Length)
        {
            return false;
        }
        var ticks = 0.0;
        while (at < text.Length)
        {
            var start = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
            {
                at++;
            }
            var unit = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
            {
                at++;
            }
            if (!double.TryParse(text.AsSpan(start, unit - start), CultureInfo.InvariantCulture, out var number)
                || TicksOf(text.AsSpan(unit, at - unit)) is not { } scale)
            {
                return false;
            }
            ticks += number * scale;
        }
        duration = new TimeSpan((long)(text[0] == '-' ? -ticks : ticks));
        return true;
    }

    private static double? TicksOf(ReadOnlySpan<char> unit) =>
        unit switch
        {
            "h" => TimeSpan.TicksPerHour,
            "m" => TimeSpan.TicksPerMinute,
            "s" => TimeSpan.TicksPerSecond,
            "ms" => TimeSpan.TicksPerMillisecond,
            "us" => TimeSpan.TicksPerMicrosecond,
            "ns" => 1.0 / TimeSpan.NanosecondsPerTick,
            _ => null,
        };
}
