using System.Globalization;

namespace MeshProxy.Bench.Load;

/// <summary>Values of several rounds.</summary>
internal sealed class Sample
{
    private readonly List<double> _values = [];

    public int Count => _values.Count;

    /// <summary>In the order of the rounds.</summary>
    public IReadOnlyList<double> Values => _values;

    public double Median => Percentile([.. _values.Order()], 0.5);

    public void Add(double value) => _values.Add(value);

    /// <summary>The median and, in brackets, the least and the greatest.</summary>
    public string Text(string format) => Count == 0
        ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{Format(Median, format)} [{Format(_values.Min(), format)}–{Format(_values.Max(), format)}]");

    /// <summary>A value of an ascending list; the middle of two where it falls between them (median of an even count).</summary>
    public static double Percentile(IReadOnlyList<double> ascending, double share)
    {
        if (ascending.Count == 0) return double.NaN;
        var position = share * (ascending.Count - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, ascending.Count - 1);
        return ascending[below] + ((ascending[above] - ascending[below]) * (position - below));
    }

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
