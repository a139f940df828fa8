using System.Globalization;

namespace MeshProxy.Xds.Mapping;

/// <summary>What a plain YAML scalar means, by yaml-cpp's conversions in the order Envoy tries them.</summary>
internal static class YamlScalars
{
    /// <summary>Integers a double holds exactly; Envoy keeps larger ones as text.</summary>
    private const long LargestExact = 1L << 53;

    private static readonly string[] Truths = ["y", "yes", "true", "on"];
    private static readonly string[] Falsehoods = ["n", "no", "false", "off"];

    public static ConfigNode Plain(string text)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL")
        {
            return ConfigNode.Null;
        }

        if (AsBool(text) is { } flag)
        {
            return ConfigNode.OfBool(flag);
        }

        if (AsInteger(text) is { } integer)
        {
            var digits = integer.ToString(CultureInfo.InvariantCulture);
            return integer is > LargestExact or < -LargestExact ? ConfigNode.OfText(digits) : ConfigNode.OfNumber(digits);
        }

        return AsDouble(text) is { } number ? ConfigNode.OfNumber(number) : ConfigNode.OfText(text);
    }

    /// <summary>A word counts in lower case, in capitals, or with a first capital.</summary>
    private static bool? AsBool(string text)
    {
        var lower = text.ToLowerInvariant();
        var isWellCased = text == lower || text == text.ToUpperInvariant()
            || (char.IsAsciiLetterUpper(text[0]) && text[1..] == lower[1..]);
        return !isWellCased ? null
            : Truths.Contains(lower) ? true
            : Falsehoods.Contains(lower) ? false
            : null;
    }

    /// <summary>Decimal, 0x hexadecimal or octal with a leading zero.</summary>
    private static long? AsInteger(string text)
    {
        var isNegative = text[0] == '-';
        var digits = text.AsSpan(text[0] is '-' or '+' ? 1 : 0);
        if (digits.Length == 0 || !char.IsAsciiDigit(digits[0]))
        {
            return null;
        }

        Int128 value;
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            if (!Int128.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) || value < 0)
            {
                return null;
            }
        }
        else if (digits.Length > 1 && digits[0] == '0')
        {
            if (!TryParseOctal(digits, out value))
            {
                return null;
            }
        }
        else if (!Int128.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            return null;
        }

        value = isNegative ? -value : value;
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : null;
    }

    private static bool TryParseOctal(ReadOnlySpan<char> digits, out Int128 value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (digit is < '0' or > '7' || value > long.MaxValue)
            {
                return false;
            }

            value = (value * 8) + (digit - '0');
        }

        return true;
    }

    private static double? AsDouble(string text)
    {
        const NumberStyles Style =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var first = text[0] is '-' or '+' && text.Length > 1 ? text[1] : text[0];
        if ((char.IsAsciiDigit(first) || first == '.')
            && double.TryParse(text, Style, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }

        return text switch
        {
            ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" => double.PositiveInfinity,
            "-.inf" or "-.Inf" or "-.INF" => double.NegativeInfinity,
            ".nan" or ".NaN" or ".NAN" => double.NaN,
            _ => null,
        };
    }
}
