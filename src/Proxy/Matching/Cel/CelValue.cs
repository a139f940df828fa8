using System.Globalization;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Types of CEL values; an error is a value too, so that `||` and `&&` may absorb it.</summary>
public enum CelKind : byte
{
    Error,
    Null,
    Bool,
    Int,
    UInt,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    List,
    Map,
    Type,
}

/// <summary>A value of the Common Expression Language. Numbers make no garbage.</summary>
public readonly struct CelValue
{
    public static readonly CelValue Null = new(CelKind.Null, 0, null);
    public static readonly CelValue True = new(CelKind.Bool, 1, null);
    public static readonly CelValue False = new(CelKind.Bool, 0, null);

    private readonly long _bits;
    private readonly object? _object;

    private CelValue(CelKind kind, long bits, object? reference)
    {
        Kind = kind;
        _bits = bits;
        _object = reference;
    }

    public CelKind Kind { get; }

    public bool IsError => Kind == CelKind.Error;

    public bool AsBool => _bits != 0;

    public long AsInt => _bits;

    public ulong AsUInt => (ulong)_bits;

    public double AsDouble => BitConverter.Int64BitsToDouble(_bits);

    public string AsString => (string)_object!;

    public byte[] AsBytes => (byte[])_object!;

    public TimeSpan AsDuration => new(_bits);

    public DateTime AsTimestamp => new(_bits, DateTimeKind.Utc);

    public IReadOnlyList<CelValue> AsList => (IReadOnlyList<CelValue>)_object!;

    public ICelMap AsMap => (ICelMap)_object!;

    /// <summary>Why there is no value; for errors only.</summary>
    public string Message => _object as string ?? "";

    public static CelValue Error(string message) => new(CelKind.Error, 0, message);

    public static CelValue Of(bool value) => value ? True : False;

    public static CelValue Of(long value) => new(CelKind.Int, value, null);

    public static CelValue Of(ulong value) => new(CelKind.UInt, (long)value, null);

    public static CelValue Of(double value) => new(CelKind.Double, BitConverter.DoubleToInt64Bits(value), null);

    public static CelValue Of(string value) => new(CelKind.String, 0, value);

    public static CelValue Of(byte[] value) => new(CelKind.Bytes, 0, value);

    public static CelValue Of(TimeSpan value) => new(CelKind.Duration, value.Ticks, null);

    public static CelValue Of(DateTime utc) => new(CelKind.Timestamp, utc.Ticks, null);

    public static CelValue Of(IReadOnlyList<CelValue> value) => new(CelKind.List, 0, value);

    public static CelValue Of(ICelMap value) => new(CelKind.Map, 0, value);

    public static CelValue OfType(string name) => new(CelKind.Type, 0, name);

    /// <summary>Equality as CEL has it: numbers compare by value across their types, other types never equal each other.</summary>
    public bool Equals(in CelValue other)
    {
        if (IsNumber && other.IsNumber)
        {
            return CompareNumbers(this, other) == 0;
        }
        if (Kind != other.Kind)
        {
            return false;
        }
        return Kind switch
        {
            CelKind.String or CelKind.Type => string.Equals((string?)_object, (string?)other._object, StringComparison.Ordinal),
            CelKind.Bytes => AsBytes.AsSpan().SequenceEqual(other.AsBytes),
            CelKind.List => ListsEqual(AsList, other.AsList),
            CelKind.Map => MapsEqual(AsMap, other.AsMap),
            CelKind.Error => false,
            _ => _bits == other._bits,
        };
    }

    /// <summary>Order of two values of comparable types; null when they have none.</summary>
    public static int? Compare(in CelValue left, in CelValue right)
    {
        if (left.IsNumber && right.IsNumber)
        {
            return CompareNumbers(left, right);
        }
        if (left.Kind != right.Kind)
        {
            return null;
        }
        return left.Kind switch
        {
            CelKind.String => string.CompareOrdinal(left.AsString, right.AsString),
            CelKind.Bytes => left.AsBytes.AsSpan().SequenceCompareTo(right.AsBytes),
            CelKind.Bool or CelKind.Duration or CelKind.Timestamp => left._bits.CompareTo(right._bits),
            _ => null,
        };
    }

    public bool IsNumber => Kind is CelKind.Int or CelKind.UInt or CelKind.Double;

    private static int? CompareNumbers(in CelValue left, in CelValue right)
    {
        if (left.Kind == right.Kind)
        {
            return left.Kind switch
            {
                CelKind.Int => left.AsInt.CompareTo(right.AsInt),
                CelKind.UInt => left.AsUInt.CompareTo(right.AsUInt),
                _ => double.IsNaN(left.AsDouble) || double.IsNaN(right.AsDouble) ? null : left.AsDouble.CompareTo(right.AsDouble),
            };
        }
        var (a, b) = (left.ToDecimalOrDouble(), right.ToDecimalOrDouble());
        return double.IsNaN(a.Double) || double.IsNaN(b.Double) ? null
            : a.Exact is { } x && b.Exact is { } y ? x.CompareTo(y)
            : a.Double.CompareTo(b.Double);
    }

    // Doubles that are whole compare exactly with integers; 2^63 and more do not fit the decimal and compare as doubles.
    private (decimal? Exact, double Double) ToDecimalOrDouble() =>
        Kind switch
        {
            CelKind.Int => (AsInt, AsInt),
            CelKind.UInt => (AsUInt, AsUInt),
            _ => (Math.Abs(AsDouble) < 1e27 ? (decimal)AsDouble : null, AsDouble),
        };

    private static bool ListsEqual(IReadOnlyList<CelValue> left, IReadOnlyList<CelValue> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        for (var i = 0; i < left.Count; i++)
        {
            if (!left[i].Equals(right[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool MapsEqual(ICelMap left, ICelMap right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        foreach (var key in left.Keys)
        {
            if (!right.TryGet(key, out var other) || !left.TryGet(key, out var own) || !own.Equals(other))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The text `string()` gives, and `%CEL()%` prints; null for what has none.</summary>
    public string? ToText() =>
        Kind switch
        {
            CelKind.Bool => AsBool ? "true" : "false",
            CelKind.Int => AsInt.ToString(CultureInfo.InvariantCulture),
            CelKind.UInt => AsUInt.ToString(CultureInfo.InvariantCulture),
            CelKind.Double => AsDouble.ToString("R", CultureInfo.InvariantCulture),
            CelKind.String => AsString,
            CelKind.Bytes => System.Text.Encoding.UTF8.GetString(AsBytes),
            CelKind.Duration => CelTime.DurationText(AsDuration),
            CelKind.Timestamp => CelTime.TimestampText(AsTimestamp),
            _ => null,
        };
}
