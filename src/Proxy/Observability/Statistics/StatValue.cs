namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>One stat as it stood when listed. Its name is kept in two parts, so that listing a million makes no strings.</summary>
internal readonly record struct StatValue : IComparable<StatValue>
{
    public required ScopeNode Node { get; init; }

    public required string LocalName { get; init; }

    /// <summary>Null is a text readout.</summary>
    public required StatKind? Kind { get; init; }

    public required long Value { get; init; }

    /// <summary>As Envoy shows it: unlimited remainders are 2^64-1.</summary>
    public ulong Unsigned => (ulong)Value;

    public required bool Used { get; init; }

    public string? Text { get; init; }

    public MergedHistogram? Histogram { get; init; }

    public StatTags? Tags { get; init; }

    public string Name => Node.Prefix + LocalName;

    public static StatValue? Of(ScopeNode node, object stat) =>
        stat switch
        {
            StoreCounter counter => new StatValue
            {
                Node = node,
                LocalName = counter.LocalName,
                Kind = StatKind.Counter,
                Value = counter.Value,
                Used = counter.Used,
                Tags = counter.Tags,
            },
            StoreGauge gauge => new StatValue
            {
                Node = node,
                LocalName = gauge.LocalName,
                Kind = StatKind.Gauge,
                Value = gauge.Value,
                Used = gauge.Used,
                Tags = gauge.Tags,
            },
            StoreHistogram histogram => new StatValue
            {
                Node = node,
                LocalName = histogram.LocalName,
                Kind = StatKind.Histogram,
                Value = 0,
                Used = histogram.Used,
                Histogram = histogram.Merged,
                Tags = histogram.Tags,
            },
            StoreTextReadout text => new StatValue
            {
                Node = node,
                LocalName = text.LocalName,
                Kind = null,
                Value = 0,
                Used = text.Used,
                Text = text.Value,
            },
            _ => null,
        };

    public static StatValue Of(ScopeNode node, StoreBlock block, int index) =>
        new()
        {
            Node = node,
            LocalName = block.Layout.Slots.Names[index],
            Kind = block.Layout.Slots.Kinds[index],
            Value = block.Value(index),
            Used = block.Used(index),
            Histogram = block.Layout.Slots.Kinds[index] == StatKind.Histogram ? block.HistogramIfMade(index)?.Merged : null,
        };

    public static StatValue Of(ScopeNode node, StatBlockLayout layout, IStatSource source, StatTags? tags, int index) =>
        new()
        {
            Node = node,
            LocalName = layout.Slots.Names[index],
            Kind = layout.Slots.Kinds[index],
            Value = source.Read(index),
            Used = true,
            Tags = tags is null ? null : tags with { ExtractedName = tags.ExtractedName + layout.Slots.Names[index] },
        };

    public StatValue MergedWith(StatValue other) =>
        this with
        {
            Value = Value + other.Value,
            Used = Used || other.Used,
            Text = string.IsNullOrEmpty(Text) ? other.Text : Text,
            Histogram = Histogram is null ? other.Histogram
                : other.Histogram is null ? Histogram
                : new MergedHistogram(
                    HistogramBins.Sum([Histogram.Interval, other.Histogram.Interval]),
                    HistogramBins.Sum([Histogram.Cumulative, other.Histogram.Cumulative])),
        };

    public int CompareTo(StatValue other)
    {
        if (ReferenceEquals(Node, other.Node))
        {
            return string.CompareOrdinal(LocalName, other.LocalName);
        }
        ReadOnlySpan<char> left = Node.Prefix;
        ReadOnlySpan<char> right = other.Node.Prefix;
        var common = Math.Min(left.Length, right.Length);
        var order = left[..common].SequenceCompareTo(right[..common]);
        if (order != 0)
        {
            return order;
        }
        return left.Length >= right.Length
            ? -CompareRest(other.LocalName, left[common..], LocalName)
            : CompareRest(LocalName, right[common..], other.LocalName);
    }

    // Compares `name` with `rest` followed by `tail`.
    private static int CompareRest(ReadOnlySpan<char> name, ReadOnlySpan<char> rest, ReadOnlySpan<char> tail)
    {
        var common = Math.Min(name.Length, rest.Length);
        var order = name[..common].SequenceCompareTo(rest[..common]);
        if (order != 0)
        {
            return order;
        }
        return name.Length < rest.Length ? -1 : name[common..].SequenceCompareTo(tail);
    }
}
