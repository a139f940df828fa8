namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>One log-linear bin: values from <c>Digits / 10 * 10^Exponent</c> up to the next two-digit number; 0 is a bin of its own.</summary>
internal readonly record struct HistogramBin(byte Digits, byte Exponent) : IComparable<HistogramBin>
{
    public double Left => Digits * Unit;

    public double Width => Digits == 0 ? 0 : Unit;

    /// <summary>Where a sample is taken to lie for sums: nearer to the left end, where more samples of a falling density are.</summary>
    public double Middle => Digits == 0 ? 0 : Left + (Width * (Left / (Left + Left + Width)));

    private double Unit => Math.Pow(10, Exponent - 1);

    public static HistogramBin Of(ulong value)
    {
        if (value == 0)
        {
            return default;
        }
        byte exponent = 1;
        if (value < 10)
        {
            value *= 10;
            exponent = 0;
        }
        while (value >= 100)
        {
            value /= 10;
            exponent++;
        }
        return new HistogramBin((byte)value, exponent);
    }

    public int CompareTo(HistogramBin other) =>
        Digits == 0 || other.Digits == 0 ? Digits.CompareTo(other.Digits)
        : Exponent != other.Exponent ? Exponent.CompareTo(other.Exponent)
        : Digits.CompareTo(other.Digits);
}
