using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>The operators and functions of CEL's standard library (cel-spec, langdef.md). Joining by `+` is off, as Envoy has it by default.</summary>
internal static class CelFunctions
{
    private static readonly CelValue NoOverload = CelValue.Error("no matching overload");
    private static readonly CelValue Overflow = CelValue.Error("integer overflow");

    public static CelUnary? Unary(string function) =>
        function switch
        {
            "!_" => static (in CelValue value) => value.Kind == CelKind.Bool ? CelValue.Of(!value.AsBool) : NoOverload,
            "-_" => Negate,
            "size" => Size,
            "int" => ToInt,
            "uint" => ToUInt,
            "double" => ToDouble,
            "string" => static (in CelValue value) => value.ToText() is { } text ? CelValue.Of(text) : NoOverload,
            "bytes" => static (in CelValue value) =>
                value.Kind == CelKind.String ? CelValue.Of(Encoding.UTF8.GetBytes(value.AsString))
                : value.Kind == CelKind.Bytes ? value : NoOverload,
            "bool" => ToBool,
            "duration" => static (in CelValue value) =>
                value.Kind == CelKind.Duration ? value
                : value.Kind != CelKind.String ? NoOverload
                : CelTime.TryParseDuration(value.AsString, out var duration) ? CelValue.Of(duration)
                : CelValue.Error("String to Duration conversion failed"),
            "timestamp" => ToTimestamp,
            "type" => static (in CelValue value) => CelValue.OfType(TypeName(value.Kind)),
            "dyn" => static (in CelValue value) => value,
            "getFullYear" => Date(static time => time.Year),
            "getMonth" => Date(static time => time.Month - 1),
            "getDate" => Date(static time => time.Day),
            "getDayOfMonth" => Date(static time => time.Day - 1),
            "getDayOfWeek" => Date(static time => (int)time.DayOfWeek),
            "getDayOfYear" => Date(static time => time.DayOfYear - 1),
            "getHours" => Clock(static time => time.Hour, static span => (long)span.TotalHours),
            "getMinutes" => Clock(static time => time.Minute, static span => (long)span.TotalMinutes),
            "getSeconds" => Clock(static time => time.Second, static span => (long)span.TotalSeconds),
            "getMilliseconds" => Clock(static time => time.Millisecond, static span => span.Milliseconds),
            _ => null,
        };

    public static CelBinary? Binary(string function) =>
        function switch
        {
            "_==_" => static (in CelValue left, in CelValue right) => CelValue.Of(left.Equals(right)),
            "_!=_" => static (in CelValue left, in CelValue right) => CelValue.Of(!left.Equals(right)),
            "_<_" => static (in CelValue left, in CelValue right) => Order(left, right, static order => order < 0),
            "_<=_" => static (in CelValue left, in CelValue right) => Order(left, right, static order => order <= 0),
            "_>_" => static (in CelValue left, in CelValue right) => Order(left, right, static order => order > 0),
            "_>=_" => static (in CelValue left, in CelValue right) => Order(left, right, static order => order >= 0),
            "_+_" => Add,
            "_-_" => Subtract,
            "_*_" => Multiply,
            "_/_" => Divide,
            "_%_" => Modulo,
            "_[_]" => Index,
            "@in" or "_in_" or "in" => Contains,
            "@append" => static (in CelValue list, in CelValue item) => CelValue.Of([.. list.AsList, item]),
            "startsWith" => static (in CelValue text, in CelValue part) =>
                Strings(text, part) ? CelValue.Of(text.AsString.StartsWith(part.AsString, StringComparison.Ordinal)) : NoOverload,
            "endsWith" => static (in CelValue text, in CelValue part) =>
                Strings(text, part) ? CelValue.Of(text.AsString.EndsWith(part.AsString, StringComparison.Ordinal)) : NoOverload,
            "contains" => static (in CelValue text, in CelValue part) =>
                Strings(text, part) ? CelValue.Of(text.AsString.Contains(part.AsString, StringComparison.Ordinal)) : NoOverload,
            _ => null,
        };

    private static bool Strings(in CelValue left, in CelValue right) => left.Kind == CelKind.String && right.Kind == CelKind.String;

    private static CelValue Order(in CelValue left, in CelValue right, Func<int, bool> accept)
    {
        if (left.IsNumber && right.IsNumber)
        {
            // Not a number is neither less nor greater.
            return CelValue.Of(CelValue.Compare(left, right) is { } numbers && accept(numbers));
        }
        return CelValue.Compare(left, right) is { } order ? CelValue.Of(accept(order)) : NoOverload;
    }

    private static CelValue Negate(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Int => value.AsInt == long.MinValue ? Overflow : CelValue.Of(-value.AsInt),
            CelKind.Double => CelValue.Of(-value.AsDouble),
            _ => NoOverload,
        };

    private static CelValue Size(in CelValue value) =>
        value.Kind switch
        {
            // Code points, not UTF-16 units.
            CelKind.String => CelValue.Of((long)value.AsString.EnumerateRunes().Count()),
            CelKind.Bytes => CelValue.Of((long)value.AsBytes.Length),
            CelKind.List => CelValue.Of((long)value.AsList.Count),
            CelKind.Map => CelValue.Of((long)value.AsMap.Count),
            _ => NoOverload,
        };

    private static CelValue Add(in CelValue left, in CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(left.AsInt, right.AsInt, static (a, b) => checked(a + b)),
            (CelKind.UInt, CelKind.UInt) => Checked(left.AsUInt, right.AsUInt, static (a, b) => checked(a + b)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.AsDouble + right.AsDouble),
            (CelKind.Duration, CelKind.Duration) => CelValue.Of(left.AsDuration + right.AsDuration),
            (CelKind.Timestamp, CelKind.Duration) => CelValue.Of(left.AsTimestamp + right.AsDuration),
            (CelKind.Duration, CelKind.Timestamp) => CelValue.Of(right.AsTimestamp + left.AsDuration),
            _ => NoOverload,
        };

    private static CelValue Subtract(in CelValue left, in CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(left.AsInt, right.AsInt, static (a, b) => checked(a - b)),
            (CelKind.UInt, CelKind.UInt) => Checked(left.AsUInt, right.AsUInt, static (a, b) => checked(a - b)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.AsDouble - right.AsDouble),
            (CelKind.Duration, CelKind.Duration) => CelValue.Of(left.AsDuration - right.AsDuration),
            (CelKind.Timestamp, CelKind.Duration) => CelValue.Of(left.AsTimestamp - right.AsDuration),
            (CelKind.Timestamp, CelKind.Timestamp) => CelValue.Of(left.AsTimestamp - right.AsTimestamp),
            _ => NoOverload,
        };

    private static CelValue Multiply(in CelValue left, in CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(left.AsInt, right.AsInt, static (a, b) => checked(a * b)),
            (CelKind.UInt, CelKind.UInt) => Checked(left.AsUInt, right.AsUInt, static (a, b) => checked(a * b)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.AsDouble * right.AsDouble),
            _ => NoOverload,
        };

    private static CelValue Divide(in CelValue left, in CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => right.AsInt == 0 ? CelValue.Error("divide by zero")
                : Checked(left.AsInt, right.AsInt, static (a, b) => checked(a / b)),
            (CelKind.UInt, CelKind.UInt) => right.AsUInt == 0 ? CelValue.Error("divide by zero") : CelValue.Of(left.AsUInt / right.AsUInt),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.AsDouble / right.AsDouble),
            _ => NoOverload,
        };

    private static CelValue Modulo(in CelValue left, in CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => right.AsInt switch
            {
                0 => CelValue.Error("modulus by zero"),
                -1 => CelValue.Of(0),
                _ => CelValue.Of(left.AsInt % right.AsInt),
            },
            (CelKind.UInt, CelKind.UInt) => right.AsUInt == 0 ? CelValue.Error("modulus by zero") : CelValue.Of(left.AsUInt % right.AsUInt),
            _ => NoOverload,
        };

    private static CelValue Checked(long left, long right, Func<long, long, long> operation)
    {
        try
        {
            return CelValue.Of(operation(left, right));
        }
        catch (OverflowException)
        {
            return Overflow;
        }
    }

    private static CelValue Checked(ulong left, ulong right, Func<ulong, ulong, ulong> operation)
    {
        try
        {
            return CelValue.Of(operation(left, right));
        }
        catch (OverflowException)
        {
            return Overflow;
        }
    }

    private static CelValue Index(in CelValue container, in CelValue key)
    {
        switch (container.Kind)
        {
            case CelKind.List when key.IsNumber:
                var index = key.Kind == CelKind.Double ? (long)key.AsDouble : key.AsInt;
                return index >= 0 && index < container.AsList.Count ? container.AsList[(int)index] : CelValue.Error("index out of bounds");
            case CelKind.Map:
                return container.AsMap.TryGet(key, out var value) ? value : CelValue.Error($"no such key: {key.ToText()}");
            default:
                return NoOverload;
        }
    }

    private static CelValue Contains(in CelValue item, in CelValue container)
    {
        if (container.Kind == CelKind.Map)
        {
            return CelValue.Of(container.AsMap.TryGet(item, out _));
        }
        if (container.Kind != CelKind.List)
        {
            return NoOverload;
        }
        foreach (var element in container.AsList)
        {
            if (element.Equals(item))
            {
                return CelValue.True;
            }
        }
        return CelValue.False;
    }

    private static CelValue ToInt(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Int => value,
            CelKind.UInt => value.AsUInt <= long.MaxValue ? CelValue.Of((long)value.AsUInt) : Overflow,
            CelKind.Double => value.AsDouble is > -9223372036854775808.0 and < 9223372036854775808.0
                ? CelValue.Of((long)value.AsDouble) : Overflow,
            CelKind.String => long.TryParse(value.AsString, CultureInfo.InvariantCulture, out var number)
                ? CelValue.Of(number) : CelValue.Error("cannot convert string to int"),
            CelKind.Timestamp => CelValue.Of((value.AsTimestamp - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond),
            _ => NoOverload,
        };

    private static CelValue ToUInt(in CelValue value) =>
        value.Kind switch
        {
            CelKind.UInt => value,
            CelKind.Int => value.AsInt >= 0 ? CelValue.Of((ulong)value.AsInt) : Overflow,
            CelKind.Double => value.AsDouble is >= 0 and < 18446744073709551616.0 ? CelValue.Of((ulong)value.AsDouble) : Overflow,
            CelKind.String => ulong.TryParse(value.AsString, CultureInfo.InvariantCulture, out var number)
                ? CelValue.Of(number) : CelValue.Error("cannot convert string to uint"),
            _ => NoOverload,
        };

    private static CelValue ToDouble(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Double => value,
            CelKind.Int => CelValue.Of((double)value.AsInt),
            CelKind.UInt => CelValue.Of((double)value.AsUInt),
            CelKind.String => double.TryParse(value.AsString, CultureInfo.InvariantCulture, out var number)
                ? CelValue.Of(number) : CelValue.Error("cannot convert string to double"),
            _ => NoOverload,
        };

    private static CelValue ToBool(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Bool => value,
            CelKind.String => value.AsString switch
            {
                "1" or "t" or "true" or "TRUE" or "True" => CelValue.True,
                "0" or "f" or "false" or "FALSE" or "False" => CelValue.False,
                _ => CelValue.Error("Type conversion error"),
            },
            _ => NoOverload,
        };

    private static CelValue ToTimestamp(in CelValue value) =>
        value.Kind switch
        {
            CelKind.Timestamp => value,
            CelKind.Int => CelValue.Of(DateTime.UnixEpoch.AddSeconds(value.AsInt)),
            CelKind.String => CelTime.TryParseTimestamp(value.AsString, out var time)
                ? CelValue.Of(time) : CelValue.Error("String to Timestamp conversion failed"),
            _ => NoOverload,
        };

    private static CelUnary Date(Func<DateTime, int> part) =>
        (in CelValue value) => value.Kind == CelKind.Timestamp ? CelValue.Of((long)part(value.AsTimestamp)) : NoOverload;

    private static CelUnary Clock(Func<DateTime, int> ofTime, Func<TimeSpan, long> ofSpan) =>
        (in CelValue value) => value.Kind switch
        {
            CelKind.Timestamp => CelValue.Of((long)ofTime(value.AsTimestamp)),
            CelKind.Duration => CelValue.Of(ofSpan(value.AsDuration)),
            _ => NoOverload,
        };

    private static string TypeName(CelKind kind) =>
        kind switch
        {
            CelKind.Null => "null_type",
            CelKind.Duration => "google.protobuf.Duration",
            CelKind.Timestamp => "google.protobuf.Timestamp",
            _ => kind.ToString().ToLowerInvariant(),
        };
}
