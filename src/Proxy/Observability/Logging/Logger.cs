using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Proxy.Observability.Logging;

/// <summary>One named logger of the process's own log; its level may change while it runs (/logging).</summary>
public sealed class Logger(string name, LogSink sink)
{
    public string Name { get; } = name;

    public LogLevel Level { get; set; } = LogLevel.Info;

    public void Debug(string message) => Write(LogLevel.Debug, message);

    public void Info(string message) => Write(LogLevel.Info, message);

    public void Warning(string message) => Write(LogLevel.Warning, message);

    public void Error(string message) => Write(LogLevel.Error, message);

    public void Critical(string message) => Write(LogLevel.Critical, message);

    /// <summary>Whether messages of that level are written: ask before building an expensive one.</summary>
    public bool IsEnabled(LogLevel level) => level >= Level && Level != LogLevel.Off;

    private void Write(LogLevel level, string message)
    {
        if (IsEnabled(level))
        {
            sink.Write(level, Name, message);
        }
    }
}
