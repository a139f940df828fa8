using System.Globalization;
using System.Text;
using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Proxy.Observability.Logging;

/// <summary>Formats lines by Envoy's --log-format and writes them to standard error or a file. From any thread; not for the hot path.</summary>
public sealed class LogSink
{
    /// <summary>Envoy's default, without its source location.</summary>
    public const string DefaultFormat = "[%Y-%m-%d %T.%e][%t][%l][%n] %v";

    private readonly TextWriter _output;
    private readonly string _format;
    private readonly object _gate = new();

    public LogSink(TextWriter output, string format)
    {
        _output = output;
        _format = format.Length > 0 ? format : DefaultFormat;
    }

    internal void Write(LogLevel level, string logger, string message)
    {
        var line = Format(level, logger, message, DateTime.Now);
        lock (_gate)
        {
            _output.WriteLine(line);
            _output.Flush();
        }
    }

    // The spdlog flags that Envoy documents; others stand for themselves.
    private string Format(LogLevel level, string logger, string message, DateTime now)
    {
        var line = new StringBuilder(_format.Length + message.Length);
        for (var i = 0; i < _format.Length; i++)
        {
            if (_format[i] != '%' || i + 1 == _format.Length)
            {
                line.Append(_format[i]);
                continue;
            }
            line.Append(_format[++i] switch
            {
                'Y' => Number(now.Year, 4),
                'm' => Number(now.Month, 2),
                'd' => Number(now.Day, 2),
                'H' => Number(now.Hour, 2),
                'M' => Number(now.Minute, 2),
                'S' => Number(now.Second, 2),
                'e' => Number(now.Millisecond, 3),
                'f' => Number((now.Millisecond * 1000) + now.Microsecond, 6),
                'T' => now.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
                't' => Environment.CurrentManagedThreadId.ToString(CultureInfo.InvariantCulture),
                'P' => Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
                'l' => LevelName(level),
                'L' => LevelName(level)[..1].ToUpperInvariant(),
                'n' => logger,
                'v' or '_' => message,
                'j' => message.Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal),
                '%' => "%",
                'z' => now.ToString("zzz", CultureInfo.InvariantCulture),
                'g' or '#' or '@' or 's' or '!' => "",
                var other => $"%{other}",
            });
        }
        return line.ToString();
    }

    private static string LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Info => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };

    private static string Number(int value, int digits) =>
        value.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0');
}
