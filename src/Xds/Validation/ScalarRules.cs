using System.Globalization;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Validation;

/// <summary>Rules of numbers, booleans, enums and durations.</summary>
internal static class ScalarRules
{
    /// <summary>The broken rule, or null.</summary>
    public static string? Check(FieldDescriptor field, FieldRules rules, ulong bits)
    {
        if (rules.IgnoreEmpty && bits == 0)
        {
            return null;
        }

        return field.Kind switch
        {
            FieldKind.Bool => rules.Const is { } demanded && demanded != (bits != 0) ? $"must be {(demanded ? "true" : "false")}" : null,
            FieldKind.Enum => CheckEnum(field.EnumType!, rules, (int)bits),
            FieldKind.Double => CheckFloating(rules, BitConverter.UInt64BitsToDouble(bits)),
            FieldKind.Float => CheckFloating(rules, BitConverter.UInt32BitsToSingle((uint)bits)),
            FieldKind.UInt64 or FieldKind.Fixed64 => CheckWhole(rules, bits, field.Kind),
            _ => CheckWhole(rules, (long)bits, field.Kind),
        };
    }

    private static string? CheckEnum(EnumType type, FieldRules rules, int number)
    {
        var name = type.NameOf(number);
        if (rules.DefinedOnly && name == null)
        {
            return $"{number} is none of the values of {type.FullName}: {string.Join(", ", type.Names)}";
        }

        return rules.NotIn?.Contains(number.ToString(CultureInfo.InvariantCulture)) == true ? $"cannot be {name ?? number.ToString()}" : null;
    }

    private static string? CheckWhole(FieldRules rules, decimal value, FieldKind kind) =>
        value <= rules.GreaterThan ? Sentence("greater than", rules.GreaterThan, value, kind)
        : value < rules.AtLeast ? Sentence("at least", rules.AtLeast, value, kind)
        : value >= rules.LessThan ? Sentence("less than", rules.LessThan, value, kind)
        : value > rules.AtMost ? Sentence("at most", rules.AtMost, value, kind)
        : null;

    /// <summary>A number that is not one breaks every bound.</summary>
    private static string? CheckFloating(FieldRules rules, double value) =>
        rules.GreaterThan is { } above && !(value > (double)above) ? $"must be greater than {above}, it is {value}"
        : rules.AtLeast is { } least && !(value >= (double)least) ? $"must be at least {least}, it is {value}"
        : rules.LessThan is { } below && !(value < (double)below) ? $"must be less than {below}, it is {value}"
        : rules.AtMost is { } most && !(value <= (double)most) ? $"must be at most {most}, it is {value}"
        : null;

    private static string Sentence(string comparison, decimal? bound, decimal value, FieldKind kind) =>
        $"must be {comparison} {Show(bound!.Value, kind)}, it is {Show(value, kind)}";

    private static string Show(decimal value, FieldKind kind) =>
        kind == FieldKind.Duration
            ? (value / Durations.NanosecondsPerSecond).ToString("0.#########", CultureInfo.InvariantCulture) + "s"
            : value.ToString(CultureInfo.InvariantCulture);
}
