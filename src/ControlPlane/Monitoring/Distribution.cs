using System.Globalization;
using System.Text;

namespace MeshProxy.ControlPlane.Monitoring;

/// <summary>A histogram of Prometheus with fixed bounds, in ascending order.</summary>
internal sealed class Distribution(double[] bounds)
{
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private readonly Lock _lock = new();
    private double _sum;

    public void Observe(double value)
    {
        var bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket])
            bucket++;
        lock (_lock)
        {
            _buckets[bucket]++;
            _sum += value;
        }
    }

    /// <param name="text">Gets the samples.</param>
    /// <param name="name">Of the metric.</param>
    /// <param name="labels">Without braces; may be empty.</param>
    public void Write(StringBuilder text, string name, string labels)
    {
        lock (_lock)
        {
            var comma = labels.Length == 0 ? "" : ",";
            var count = 0L;
            for (var k = 0; k <= bounds.Length; k++)
            {
                count += _buckets[k];
                var bound = k < bounds.Length ? bounds[k].ToString(CultureInfo.InvariantCulture) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}\n");
            }
            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{{{labels}}} {_sum}\n{name}_count{{{labels}}} {count}\n");
        }
    }
}
