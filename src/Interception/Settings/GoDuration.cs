using System.Globalization;

namespace MeshProxy.Interception.Settings;

/// <summary>
/// Durations as Go's time.ParseDuration reads them ("1m30s", "500ms"), because istio-iptables' flags are written so.
/// </summary>
public static class GoDuration
{
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        var rest = text.AsSpan();
        if (rest.IsEmpty)
            return false;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits <= 0)
                return false;
            var point = NumberStyles.AllowDecimalPoint;
            if (!double.TryParse(rest[..digits], point, CultureInfo.InvariantCulture, out var count))
                return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny("0123456789.");
            var unit = letters < 0 ? rest : rest[..letters];
            if (Ticks(unit) is not { } ticks || count * ticks > long.MaxValue / 2)
                return false;
            value += TimeSpan.FromTicks((long)(count * ticks));
            rest = rest[unit.Length..];
        }
        return true;
    }

    private static double? Ticks(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01,
        "us" or "µs" => TimeSpan.TicksPerMicrosecond,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
