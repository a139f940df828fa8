namespace MeshProxy.Proxy.Observability;

/// <summary>Owns the log files: one writer a path, lines batched per loop, flushed every flush interval, reopened on /reopen_logs.</summary>
public abstract class AccessLogManager
{
    /// <summary>A sink for the path; the same object for the same path.</summary>
    public abstract IAccessLogFile Open(string path);

    public abstract void ReopenAll();
}

public interface IAccessLogFile
{
    /// <summary>Queues one line (newline included); never blocks on the disk. From any loop.</summary>
    void Write(ReadOnlySpan<byte> line);
}
