using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MeshProxy.Injection.Documents;

/// <summary>
/// Which plain scalars are no strings. Kubernetes reads YAML 1.1 (sigs.k8s.io/yaml on go-yaml v2): `yes` and `on` are
/// booleans and a leading zero is octal.
/// </summary>
internal static partial class YamlScalars
{
    public static JsonNode? Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
        }
        return Number(text) ?? JsonValue.Create(text);
    }

    /// <summary>Whether some YAML reader would take the plain text for something else than a string.</summary>
    public static bool IsAmbiguous(string text) =>
        Resolve(text) is not JsonValue value || !value.TryGetValue<string>(out _) || LooksTyped().IsMatch(text);

    private static JsonValue? Number(string text)
    {
        if (!(char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.'))
            return null;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        if (JsonNumber().IsMatch(digits))
            // Parsed from its own text, so that 1.10 is written back as 1.10.
            return JsonNode.Parse(digits)!.AsValue();
        if (Radix(digits) is { } whole)
            return JsonValue.Create(whole);
        return YamlFloat().IsMatch(digits)
            && double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
            && double.IsFinite(real)
                ? JsonValue.Create(real)
                : null;
    }

    private static long? Radix(string digits)
    {
        var sign = digits[0] == '-' ? -1 : 1;
        var body = digits.TrimStart('-', '+');
        try
        {
            return body switch
            {
                ['0', 'x', .. var hexadecimal] => sign * Convert.ToInt64(hexadecimal, 16),
                ['0', 'o', .. var octal] => sign * Convert.ToInt64(octal, 8),
                ['0', 'b', .. var binary] => sign * Convert.ToInt64(binary, 2),
                ['0', _, ..] when body.All(c => c is >= '0' and <= '7') => sign * Convert.ToInt64(body, 8),
                _ => long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null,
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$")]
    private static partial Regex JsonNumber();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex YamlFloat();

    // y, n, =, <<, base 60, dates and infinities of YAML 1.1, and numbers with a sign or underscores.
    [GeneratedRegex(@"^([yYnN=]|<<|[-+]?[0-9_]+(:[0-5]?[0-9])+(\.[0-9_]*)?|\d{4}-\d{1,2}-\d{1,2}.*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$")]
    private static partial Regex LooksTyped();
}
