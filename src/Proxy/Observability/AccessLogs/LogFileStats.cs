namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>`filesystem.…`, as Envoy counts its access log files.</summary>
internal sealed class LogFileStats(IStatsScope scope)
{
    public Counter WriteBuffered { get; } = scope.Counter("write_buffered");

    public Counter WriteCompleted { get; } = scope.Counter("write_completed");

    /// <summary>Also lines dropped because the disk did not keep up.</summary>
    public Counter WriteFailed { get; } = scope.Counter("write_failed");

    public Counter FlushedByTimer { get; } = scope.Counter("flushed_by_timer");

    public Counter ReopenFailed { get; } = scope.Counter("reopen_failed");

    public Gauge WriteTotalBuffered { get; } = scope.Gauge("write_total_buffered");
}
