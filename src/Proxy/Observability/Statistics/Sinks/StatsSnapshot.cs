namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>The statistics in use at one moment, in order of their names.</summary>
/// <param name="Previous">When the flush before was, or the start.</param>
internal sealed record StatsSnapshot(StatsStore Store, IReadOnlyList<SnapshotStat> Stats, DateTime Time, DateTime Previous);

/// <param name="Delta">What a counter grew by since the flush before.</param>
internal readonly record struct SnapshotStat(StatValue Stat, long Delta);
