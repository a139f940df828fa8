namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>
/// Counts by log-linear bin: two significant decimal digits and an exponent, as the circllhist of Circonus that Envoy uses, so
/// that quantiles and sums come out the same. One thread writes; others may read meanwhile, for a new bin replaces the
/// arrays and counts only grow.
/// </summary>
internal sealed class HistogramBins
{
    /// <summary>Quantiles that are shown and sent.</summary>
    public static readonly double[] ShownQuantiles = [0, 0.25, 0.5, 0.75, 0.90, 0.95, 0.99, 0.995, 0.999, 1];

    private State _state = new([], []);

    /// <summary>Samples of one that is shown: shares of a whole are recorded larger (<see cref="HistogramUnits"/>).</summary>
    public double Scale { get; private set; } = 1;

    public static HistogramBins For(string name) =>
        new() { Scale = HistogramUnits.IsPercent(name) ? HistogramUnits.PercentScale : 1 };

    public static HistogramBins Sum(IEnumerable<HistogramBins?> parts)
    {
        var sum = new HistogramBins();
        foreach (var part in parts)
        {
            if (part is null)
            {
                continue;
            }
            sum.Scale = part.Scale;
            var state = part._state;
            for (var i = 0; i < state.Bins.Length; i++)
            {
                sum.Add(state.Bins[i], state.Counts[i]);
            }
        }
        return sum;
    }

    /// <summary>This minus an earlier reading of the same histogram.</summary>
    public HistogramBins Since(HistogramBins earlier)
    {
        var difference = new HistogramBins { Scale = Scale };
        var state = _state;
        for (var i = 0; i < state.Bins.Length; i++)
        {
            var before = earlier.CountOf(state.Bins[i]);
            if (state.Counts[i] > before)
            {
                difference.Add(state.Bins[i], state.Counts[i] - before);
            }
        }
        return difference;
    }

    public void Record(ulong value) => Add(HistogramBin.Of(value), 1);

    public void Add(HistogramBin bin, ulong count)
    {
        var state = _state;
        var place = Array.BinarySearch(state.Bins, bin);
        if (place >= 0)
        {
            state.Counts[place] += count;
            return;
        }
        place = ~place;
        var bins = new HistogramBin[state.Bins.Length + 1];
        var counts = new ulong[bins.Length];
        Array.Copy(state.Bins, bins, place);
        Array.Copy(state.Counts, counts, place);
        bins[place] = bin;
        counts[place] = count;
        Array.Copy(state.Bins, place, bins, place + 1, state.Bins.Length - place);
        Array.Copy(state.Counts, place, counts, place + 1, state.Bins.Length - place);
        Volatile.Write(ref _state, new State(bins, counts));
    }

    public ReadOnlySpan<HistogramBin> Bins => _state.Bins;

    public ulong CountOf(HistogramBin bin)
    {
        var state = _state;
        var place = Array.BinarySearch(state.Bins, bin);
        return place >= 0 ? state.Counts[place] : 0;
    }

    public ulong SampleCount
    {
        get
        {
            var total = 0UL;
            foreach (var count in _state.Counts)
            {
                total += count;
            }
            return total;
        }
    }

    /// <summary>Sum of the samples, each taken as its bin's middle.</summary>
    public double SampleSum
    {
        get
        {
            var state = _state;
            var sum = 0.0;
            for (var i = 0; i < state.Bins.Length; i++)
            {
                sum += state.Bins[i].Middle * state.Counts[i];
            }
            return sum / Scale;
        }
    }

    /// <summary>Samples in bins that end at or below <paramref name="threshold"/>; so a sample equal to a boundary is above it.</summary>
    public ulong CountBelow(double threshold)
    {
        var state = _state;
        var total = 0UL;
        for (var i = 0; i < state.Bins.Length && state.Bins[i].Left + state.Bins[i].Width <= threshold * Scale; i++)
        {
            total += state.Counts[i];
        }
        return total;
    }

    /// <summary>Values of the quantiles (0 to 1, ascending), interpolated within a bin; NaN when there is no sample.</summary>
    public void Quantiles(ReadOnlySpan<double> quantiles, Span<double> values)
    {
        var state = _state;
        if (state.Bins.Length == 0)
        {
            values.Fill(double.NaN);
            return;
        }
        var total = (double)SampleCount;
        var bin = 0;
        var lower = 0.0;
        var upper = (double)state.Counts[0];
        for (var i = 0; i < quantiles.Length; i++)
        {
            var rank = total * quantiles[i];
            while (bin < state.Bins.Length - 1 && upper < rank)
            {
                bin++;
                lower = upper;
                upper += state.Counts[bin];
            }
            var left = state.Bins[bin].Left;
            var width = state.Bins[bin].Width;
            var value = rank == lower ? left
                : rank == upper ? left + width
                : left + ((rank - lower) / (upper - lower) * width);
            values[i] = value / Scale;
        }
    }

    private sealed record State(HistogramBin[] Bins, ulong[] Counts);
}
