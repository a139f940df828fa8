namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Boundaries of the buckets histograms are shown with: the first setting that matches the name, or Envoy's own.</summary>
public sealed class HistogramBuckets(IReadOnlyList<(Func<string, bool> Match, double[] Boundaries)> settings)
{
    public static readonly HistogramBuckets Default = new([]);

    private static readonly double[] Standard =
    [
        0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
    ];

    public double[] For(string name)
    {
        foreach (var (match, boundaries) in settings)
        {
            if (match(name))
            {
                return boundaries;
            }
        }
        return Standard;
    }
}
