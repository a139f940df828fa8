using System.Collections.Concurrent;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>
/// The log files of the process. Lines are gathered per loop and written by the thread pool, one writer a file at a time: when
/// enough have gathered (--file-flush-min-size-kb), at each flush interval (--file-flush-interval-msec), and at the end.
/// </summary>
public sealed class LogFiles : AccessLogManager, IDisposable
{
    /// <summary>Envoy's default of --file-flush-interval-msec.</summary>
    public static readonly TimeSpan DefaultFlushInterval = TimeSpan.FromSeconds(10);

    /// <summary>Envoy's default of --file-flush-min-size-kb, in bytes.</summary>
    public const int DefaultFlushBytes = 64 * 1024;

    private readonly ConcurrentDictionary<string, LogFile> _files = new(StringComparer.Ordinal);
    private readonly int _loopCount;
    private readonly int _flushBytes;
    private readonly Timer _timer;
    private readonly LogFileStats _stats;

    /// <param name="loopCount">Event loops there are, the main one included.</param>
    /// <param name="scope">The server's root scope, for `filesystem.…`.</param>
    public LogFiles(int loopCount, TimeSpan flushInterval, int flushBytes, IStatsScope scope)
    {
        _loopCount = loopCount;
        _flushBytes = flushBytes;
        _stats = new LogFileStats(scope.Scope("filesystem"));
        _timer = new Timer(static state => ((LogFiles)state!).FlushByTimer(), this, flushInterval, flushInterval);
    }

    /// <exception cref="ConfigurationException">The file cannot be opened.</exception>
    public override IAccessLogFile Open(string path) =>
        _files.GetOrAdd(path, static (path, self) => new LogFile(path, self._loopCount, self._flushBytes, self._stats), this);

    public override void ReopenAll()
    {
        foreach (var (_, file) in _files)
        {
            file.Reopen();
        }
    }

    /// <summary>Writes what has gathered, and waits for it: at the end of the process.</summary>
    public void Flush()
    {
        foreach (var (_, file) in _files)
        {
            file.Flush();
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
        foreach (var (_, file) in _files)
        {
            file.Dispose();
        }
    }

    private void FlushByTimer()
    {
        foreach (var (_, file) in _files)
        {
            file.FlushByTimer();
        }
    }
}
