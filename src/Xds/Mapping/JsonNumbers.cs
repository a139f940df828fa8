using System.Globalization;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>Numbers, booleans and enums of JSON as the bits a message stores.</summary>
internal static class JsonNumbers
{
    private static readonly string[] Truths = ["true", "t", "yes", "y", "1"];
    private static readonly string[] Falsehoods = ["false", "f", "no", "n", "0"];

    /// <summary>true, false, or one of the words protobuf's reader takes for them.</summary>
    public static ulong ReadBool(ConfigNode value, PathTracker path)
    {
        if (value.Kind == NodeKind.Bool)
        {
            return value.Flag ? 1UL : 0UL;
        }

        if (value.Kind == NodeKind.Text)
        {
            var word = value.Text.ToLowerInvariant();
            if (Truths.Contains(word))
            {
                return 1;
            }

            if (Falsehoods.Contains(word))
            {
                return 0;
            }
        }

        throw path.Refuse($"{value.Describe()} stands where true or false is expected");
    }

    /// <summary>A whole number in the range of its kind, as a number or as text, also written with an exponent.</summary>
    public static ulong ReadInteger(ConfigNode value, FieldKind kind, PathTracker path)
    {
        if (value.Kind is not (NodeKind.Number or NodeKind.Text))
        {
            throw path.Refuse($"{value.Describe()} stands where a number is expected");
        }

        if (!TryParseWhole(value.Text, out var number))
        {
            throw path.Refuse($"{value.Describe()} is not a whole number");
        }

        var (lowest, highest) = RangeOf(kind);
        return number >= lowest && number <= highest
            ? (ulong)(long)(number > long.MaxValue ? number - ((Int128)1 << 64) : number)
            : throw path.Refuse($"{value.Describe()} is out of range, {lowest} to {highest} are possible");
    }

    public static ulong ReadFloat(ConfigNode value, FieldKind kind, PathTracker path)
    {
        var number = value.Kind switch
        {
            NodeKind.Number => value.Number,
            NodeKind.Text => ParseFloat(value.Text) ?? throw path.Refuse($"{value.Describe()} is not a number"),
            _ => throw path.Refuse($"{value.Describe()} stands where a number is expected"),
        };
        if (kind == FieldKind.Double)
        {
            return BitConverter.DoubleToUInt64Bits(number);
        }

        var single = (float)number;
        return double.IsFinite(number) && !float.IsFinite(single)
            ? throw path.Refuse($"{value.Describe()} is out of range")
            : BitConverter.SingleToUInt32Bits(single);
    }

    /// <summary>A name of the enum, in any case, or a number.</summary>
    public static ulong ReadEnum(ConfigNode value, EnumType type, JsonReadOptions options, PathTracker path)
    {
        switch (value.Kind)
        {
            case NodeKind.Number:
                return ReadInteger(value, FieldKind.Int32, path);
            case NodeKind.Null:
                return 0;
            case NodeKind.Text when FindName(type, value.Text) is { } number:
                return (ulong)number;
            case NodeKind.Text when TryParseWhole(value.Text, out _):
                return ReadInteger(value, FieldKind.Int32, path);
            case NodeKind.Text when options.OnUnknownField is { } report:
                report(path.ToString());
                return 0;
            case NodeKind.Text:
                throw path.Refuse($"{value.Describe()} is none of the values of {type.FullName}: {string.Join(", ", type.Names)}");
            default:
                throw path.Refuse($"{value.Describe()} stands where a name of {type.FullName} is expected");
        }
    }

    private static int? FindName(EnumType type, string name)
    {
        if (type.TryGetNumber(name, out var number))
        {
            return number;
        }

        var normal = name.Replace('-', '_');
        foreach (var candidate in type.Names)
        {
            if (candidate.Equals(normal, StringComparison.OrdinalIgnoreCase) && type.TryGetNumber(candidate, out number))
            {
                return number;
            }
        }

        return null;
    }

    private static bool TryParseWhole(string text, out Int128 number)
    {
        if (Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
        {
            return true;
        }

        const NumberStyles Style =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!double.TryParse(text, Style, CultureInfo.InvariantCulture, out var floating)
            || Math.Floor(floating) != floating || Math.Abs(floating) > ulong.MaxValue)
        {
            return false;
        }

        number = (Int128)floating;
        return true;
    }

    private static double? ParseFloat(string text) => text switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : null,
    };

    private static (Int128 Lowest, Int128 Highest) RangeOf(FieldKind kind) => kind switch
    {
        FieldKind.Int32 or FieldKind.SInt32 or FieldKind.SFixed32 => (int.MinValue, int.MaxValue),
        FieldKind.UInt32 or FieldKind.Fixed32 => (0, uint.MaxValue),
        FieldKind.UInt64 or FieldKind.Fixed64 => (0, ulong.MaxValue),
        _ => (long.MinValue, long.MaxValue),
    };
}
