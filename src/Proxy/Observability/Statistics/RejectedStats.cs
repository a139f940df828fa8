namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Stands for a counter that stats_matcher refuses: takes writes, shows nothing.</summary>
internal sealed class RejectedCounter : Counter
{
    public static readonly RejectedCounter Instance = new();

    public override string Name => "";

    public override long Value => 0;

    public override bool Used => false;

    public override void Add(long amount)
    {
    }

    public override void Reset()
    {
    }
}

/// <summary>Stands for a gauge that stats_matcher refuses.</summary>
internal sealed class RejectedGauge : Gauge
{
    public static readonly RejectedGauge Instance = new();

    public override string Name => "";

    public override long Value => 0;

    public override bool Used => false;

    public override void Add(long amount)
    {
    }

    public override void Set(long value)
    {
    }
}

/// <summary>Stands for a histogram that stats_matcher refuses.</summary>
internal sealed class RejectedHistogram : Histogram
{
    public static readonly RejectedHistogram Instance = new();

    public override string Name => "";

    public override void Record(double value)
    {
    }
}

/// <summary>Stands for a text readout that stats_matcher refuses.</summary>
internal sealed class RejectedTextReadout : TextReadout
{
    public static readonly RejectedTextReadout Instance = new();

    public override string Name => "";

    public override string Value => "";

    public override bool Used => false;

    public override void Set(string value)
    {
    }
}
