using System.Globalization;

namespace MeshProxy.Xds.Bootstrap;

/// <summary>Values of flags; every refusal names the flag.</summary>
internal static class FlagValues
{
    public static uint Number(string flag, string value) =>
        uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Bad(flag, value, "a whole number");

    public static uint Octal(string flag, string value)
    {
        var number = 0U;
        foreach (var digit in value)
        {
            number = digit is >= '0' and <= '7' && number <= 0x0FFF ? (number * 8) + (uint)(digit - '0') : throw Bad(flag, value, "octal permissions");
        }

        return value.Length > 0 ? number : throw Bad(flag, value, "octal permissions");
    }

    /// <summary>Whether the second of two words is given.</summary>
    public static bool Choice(string flag, string value, string first, string second) =>
        value == second || (value == first ? false : throw Bad(flag, value, $"{first} or {second}"));

    public static ServerMode Mode(string value) => value switch
    {
        "serve" => ServerMode.Serve,
        "validate" => ServerMode.Validate,
        "init_only" => ServerMode.InitOnly,
        _ => throw Bad("mode", value, "serve, validate or init_only"),
    };

    public static LogLevel Level(string flag, string value) => value switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Info,
        "warning" or "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "critical" => LogLevel.Critical,
        "off" => LogLevel.Off,
        _ => throw Bad(flag, value, "trace, debug, info, warning, error, critical or off"),
    };

    public static Dictionary<string, LogLevel> ComponentLevels(string value)
    {
        const string Flag = "component-log-level";
        var levels = new Dictionary<string, LogLevel>(StringComparer.Ordinal);
        foreach (var pair in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':');
            levels[colon > 0 ? pair[..colon] : throw Bad(Flag, value, "name:level, separated by commas")] =
                Level(Flag, pair[(colon + 1)..]);
        }

        return levels;
    }

    // Names are letters and digits; values must not bring empty parts into the names of statistics.
    public static KeyValuePair<string, string> Tag(string value)
    {
        var colon = value.IndexOf(':');
        if (colon <= 0 || colon == value.Length - 1)
        {
            throw Bad("stats-tag", value, "name:value");
        }

        var (name, text) = (value[..colon], value[(colon + 1)..]);
        return name.All(char.IsAsciiLetterOrDigit) && text[0] != '.' && text[^1] != '.' && !text.Contains("..", StringComparison.Ordinal)
            ? new(name, text)
            : throw Bad("stats-tag", value, "a name of letters and digits, and a value without leading, final or double dots");
    }

    private static OptionsException Bad(string flag, string value, string expected) =>
        new($"--{flag} cannot be \"{value}\": give {expected}");
}
