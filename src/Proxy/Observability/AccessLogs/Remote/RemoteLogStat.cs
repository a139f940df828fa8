namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Counters of a remote log.</summary>
internal enum RemoteLogStat
{
    LogsWritten,
    LogsDropped,
    GrpcEntriesFlushed,
    GrpcEntriesFlushFailed,
}

/// <summary>Names of <see cref="RemoteLogStat"/>.</summary>
internal static class RemoteLogStats
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("logs_written", StatKind.Counter),
        ("logs_dropped", StatKind.Counter),
        ("grpc_entries_flushed", StatKind.Counter),
        ("grpc_entries_flush_failed", StatKind.Counter),
    ]);

    public static void Add(this StatBlock stats, RemoteLogStat stat, long count = 1) => stats.Add((int)stat, count);
}
