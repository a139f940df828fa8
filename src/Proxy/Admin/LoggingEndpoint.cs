using System.Text;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/logging`: shows and changes the levels of the process's loggers.</summary>
internal sealed class LoggingEndpoint(Loggers loggers)
{
    private static readonly Dictionary<string, LogLevel> Levels = new(StringComparer.Ordinal)
    {
        ["trace"] = LogLevel.Trace,
        ["debug"] = LogLevel.Debug,
        ["info"] = LogLevel.Info,
        ["warning"] = LogLevel.Warning,
        ["error"] = LogLevel.Error,
        ["critical"] = LogLevel.Critical,
        ["off"] = LogLevel.Off,
    };

    public AdminEndpoint Endpoint => new("/logging", "query/change logging levels", true, Answer);

    private AdminResponse Answer(AdminQuery query)
    {
        var refusal = query.Parameters.Count switch
        {
            0 => null,
            1 => Change(query.Parameters[0].Key, query.Parameters[0].Value),
            _ => "invalid parameter: only one may be given",
        };
        return refusal is null
            ? AdminResponse.Text(List())
            : AdminResponse.Text($"error: {refusal}\nusage: /logging?<name>=<level> (change single level)\n"
                + "usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n"
                + "usage: /logging?level=<level> (change all levels)\n"
                + $"levels: trace debug info warning error critical off\n{List()}", 400);
    }

    private string? Change(string name, string value)
    {
        if (name == "paths")
        {
            return ChangeSeveral(value);
        }
        if (!Levels.TryGetValue(value, out var level))
        {
            return $"unknown logger level: {value}";
        }
        if (name == "level")
        {
            loggers.SetAll(level);
            return null;
        }
        if (loggers.Find(name) is not { } logger)
        {
            return $"unknown logger name: {name}";
        }
        logger.Level = level;
        return null;
    }

    // All or nothing: every name and level is known before the first is changed.
    private string? ChangeSeveral(string paths)
    {
        var changes = new List<(Logger Logger, LogLevel Level)>();
        foreach (var pair in paths.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = pair.IndexOf(':');
            if (colon < 0 || !Levels.TryGetValue(pair[(colon + 1)..], out var level))
            {
                return $"invalid level in '{pair}'";
            }
            if (loggers.Find(pair[..colon]) is not { } logger)
            {
                return $"unknown logger name: {pair[..colon]}";
            }
            changes.Add((logger, level));
        }
        foreach (var (logger, level) in changes)
        {
            logger.Level = level;
        }
        return null;
    }

    private string List()
    {
        var text = new StringBuilder("active loggers:\n");
        foreach (var logger in loggers.All)
        {
            text.Append("  ").Append(logger.Name).Append(": ").Append(Levels.First(level => level.Value == logger.Level).Key).Append('\n');
        }
        return text.Append('\n').ToString();
    }
}
