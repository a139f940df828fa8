using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshProxy.Agent.Configuration;

/// <summary>Durations as Go and protobuf's JSON write them.</summary>
internal static partial class GoDuration
{
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var match = Form().Match(text);
        if (!match.Success || match.Length == 0)
            return false;
        var units = match.Groups[2].Captures;
        for (var i = 0; i < units.Count; i++)
            duration += double.Parse(match.Groups[1].Captures[i].Value, CultureInfo.InvariantCulture) * Unit(units[i].Value);
        return true;
    }

    private static TimeSpan Unit(string unit) => unit switch
    {
        "h" => TimeSpan.FromHours(1),
        "m" => TimeSpan.FromMinutes(1),
        "s" => TimeSpan.FromSeconds(1),
        "ms" => TimeSpan.FromMilliseconds(1),
        _ => TimeSpan.FromMicroseconds(1),
    };

    [GeneratedRegex(@"^(?:([0-9]*\.?[0-9]+)(h|ms|m|us|s))+$")]
    private static partial Regex Form();
}
