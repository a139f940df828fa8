using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace MeshProxy.Proxy.Configuration.Runtime;

/// <summary>One runtime value in all the ways it can be read; which are null tells what it is not.</summary>
/// <param name="Text">As shown by /runtime.</param>
public sealed record RuntimeValue(
    string Text, ulong? Integer = null, double? Double = null, bool? Boolean = null, (uint Numerator, uint Denominator)? Fraction = null)
{
    /// <summary>Reads a value as it stands in a file or an admin request: boolean, number, or YAML of a fraction.</summary>
    public static RuntimeValue Parse(string text)
    {
        var trimmed = text.Trim();
        if (trimmed is "true" or "false")
        {
            return new RuntimeValue(trimmed, Boolean: trimmed == "true");
        }
        return double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? FromNumber(number, trimmed)
            : ParseFraction(trimmed) ?? new RuntimeValue(trimmed);
    }

    public static RuntimeValue? From(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.BoolValue => new RuntimeValue(value.BoolValue ? "true" : "false", Boolean: value.BoolValue),
        Value.KindOneofCase.NumberValue => FromNumber(value.NumberValue, Format(value.NumberValue)),
        Value.KindOneofCase.StringValue => Parse(value.StringValue),
        _ => null,
    };

    /// <summary>A FractionalPercent given as a struct; null if the struct is only a level of nesting.</summary>
    public static RuntimeValue? FromFraction(Struct fields)
    {
        if (!fields.Fields.TryGetValue("numerator", out var numerator) && !fields.Fields.TryGetValue("denominator", out _))
        {
            return null;
        }
        var denominator = fields.Fields.TryGetValue("denominator", out var unit) ? Unit(unit.StringValue) : 100;
        var count = numerator.Message is null ? 0 : (uint)numerator.NumberValue;
        return new RuntimeValue("", Fraction: (count, denominator));
    }

    private static RuntimeValue FromNumber(double number, string text) => new(
        text,
        Integer: number >= 0 && number == Math.Floor(number) && number <= ulong.MaxValue ? (ulong)number : null,
        Double: number);

    private static string Format(double number) =>
        number == Math.Floor(number) && Math.Abs(number) < 1e15
            ? ((long)number).ToString(CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);

    // `numerator: 5` and `denominator: MILLION` lines, the form runtime files use for fractions.
    private static RuntimeValue? ParseFraction(string text)
    {
        uint? numerator = null;
        uint denominator = 100;
        foreach (var line in text.Split(['\n', ',', '{', '}'], StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            if (parts.Length != 2)
            {
                continue;
            }
            switch (parts[0].Trim('"', ' '))
            {
                case "numerator" when uint.TryParse(parts[1], CultureInfo.InvariantCulture, out var parsed):
                    numerator = parsed;
                    break;
                case "denominator":
                    denominator = Unit(parts[1].Trim('"', ' '));
                    break;
            }
        }
        return numerator is { } count ? new RuntimeValue(text, Fraction: (count, denominator)) : null;
    }

    private static uint Unit(string name) => name switch
    {
        "TEN_THOUSAND" => 10_000,
        "MILLION" => 1_000_000,
        _ => 100,
    };
}
