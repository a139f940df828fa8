using System.Text;

namespace MeshProxy.Xds.Bootstrap;

/// <summary>The flags of Envoy 1.40 (source/server/options_impl).</summary>
internal static class EnvoyFlags
{
    private static readonly EnvoyFlag[] All =
    [
        new("config-path", "c", "path", "Bootstrap file: .json, .yaml, .yml or .pb.", static (o, v) => o.ConfigPath = v),
        new("config-yaml", null, "yaml", "Bootstrap as text, merged over the file.", static (o, v) => o.ConfigYaml = v),
        new("mode", null, "serve|validate|init_only", "Serve, check the configuration only, or only start up.",
            static (o, v) => o.Mode = FlagValues.Mode(v)),
        new("concurrency", null, "number", "Number of worker threads, by default one a CPU.",
            static (o, v) => o.Concurrency = Math.Max(1, FlagValues.Number("concurrency", v))),
        new("cpuset-threads", null, null, "Worker threads by the CPUs of the cpuset.", static (o, _) => o.CpusetThreads = true),
        new("allow-unknown-fields", null, null, "The same as --allow-unknown-static-fields.",
            static (o, _) => o.AllowUnknownStaticFields = true),
        new("allow-unknown-static-fields", null, null, "Leave out unknown fields of the bootstrap instead of refusing it.",
            static (o, _) => o.AllowUnknownStaticFields = true),
        new("reject-unknown-dynamic-fields", null, null, "Refuse unknown fields of dynamic configuration.",
            static (o, _) => o.RejectUnknownDynamicFields = true),
        new("ignore-unknown-dynamic-fields", null, null, "Do not count unknown fields of dynamic configuration.",
            static (o, _) => o.IgnoreUnknownDynamicFields = true),
        new("skip-deprecated-logs", null, null, "No warnings about deprecated fields.",
            static (o, _) => o.SkipDeprecatedLogs = true),
        new("admin-address-path", null, "path", "File that gets the admin address.", static (o, v) => o.AdminAddressPath = v),
        new("local-address-ip-version", null, "v4|v6", "Kind of the local address.",
            static (o, v) => o.LocalAddressIsIpv6 = FlagValues.Choice("local-address-ip-version", v, "v4", "v6")),
        new("log-level", "l", "level", "trace, debug, info, warning, error, critical or off.",
            static (o, v) => o.LogLevel = FlagValues.Level("log-level", v)),
        new("component-log-level", null, "name:level,…", "Levels of single loggers.",
            static (o, v) => o.ComponentLogLevels = FlagValues.ComponentLevels(v)),
        new("enable-fine-grain-logging", null, null, "Levels by source file, changed through the admin interface.",
            static (o, _) => o.EnableFineGrainLogging = true),
        new("log-format", null, "pattern", "Pattern of log records.", static (o, v) => o.LogFormat = v),
        new("log-format-escaped", null, null, "Write line breaks within a log record as \\n.",
            static (o, _) => o.LogFormatEscaped = true),
        new("log-path", null, "path", "Log file instead of standard error.", static (o, v) => o.LogPath = v),
        new("service-cluster", null, "name", "Overrides node.cluster.", static (o, v) => o.ServiceCluster = v),
        new("service-node", null, "name", "Overrides node.id.", static (o, v) => o.ServiceNode = v),
        new("service-zone", null, "name", "Overrides node.locality.zone.", static (o, v) => o.ServiceZone = v),
        new("file-flush-interval-msec", null, "milliseconds", "How often access log files are written.",
            static (o, v) => o.FileFlushInterval = TimeSpan.FromMilliseconds(FlagValues.Number("file-flush-interval-msec", v))),
        new("file-flush-min-size-kb", null, "kibibytes", "Size at which an access log file is written at once.",
            static (o, v) => o.FileFlushMinimumSizeKb = FlagValues.Number("file-flush-min-size-kb", v)),
        new("drain-time-s", null, "seconds", "Time of a drain.",
            static (o, v) => o.DrainTime = TimeSpan.FromSeconds(FlagValues.Number("drain-time-s", v))),
        new("drain-strategy", null, "gradual|immediate", "How connections are closed in a drain.",
            static (o, v) => o.DrainsImmediately = FlagValues.Choice("drain-strategy", v, "gradual", "immediate")),
        new("parent-shutdown-time-s", null, "seconds", "When a hot restart ends the old process.",
            static (o, v) => o.ParentShutdownTime = TimeSpan.FromSeconds(FlagValues.Number("parent-shutdown-time-s", v))),
        new("disable-hot-restart", null, null, "No hot restart.", static (o, _) => o.DisableHotRestart = true),
        new("restart-epoch", null, "number", "Number of this hot restart.",
            static (o, v) => o.RestartEpoch = FlagValues.Number("restart-epoch", v)),
        new("base-id", null, "number", "Tells several proxies of a host apart.",
            static (o, v) => o.BaseId = FlagValues.Number("base-id", v)),
        new("use-dynamic-base-id", null, null, "Choose a base id that is free.", static (o, _) => o.UseDynamicBaseId = true),
        new("base-id-path", null, "path", "File that gets the base id.", static (o, v) => o.BaseIdPath = v),
        new("skip-hot-restart-on-no-parent", null, null, "Start afresh when there is no process to take over from.",
            static (o, _) => o.SkipHotRestartOnNoParent = true),
        new("skip-hot-restart-parent-stats", null, null, "Do not take over statistics.",
            static (o, _) => o.SkipHotRestartParentStats = true),
        new("socket-path", null, "path", "Socket of a hot restart.", static (o, v) => o.SocketPath = v),
        new("socket-mode", null, "octal", "Permissions of that socket.", static (o, v) => o.SocketMode = FlagValues.Octal("socket-mode", v)),
        new("enable-mutex-tracing", null, null, "Trace contention of locks.", static (o, _) => o.EnableMutexTracing = true),
        new("enable-core-dump", null, null, "Leave a core file after a crash.", static (o, _) => o.EnableCoreDump = true),
        new("disable-extensions", null, "name,…", "Extensions that cannot be used.",
            static (o, v) => o.DisabledExtensions = v.Split(',', StringSplitOptions.RemoveEmptyEntries)),
        new("stats-tag", null, "name:value", "A tag of all statistics.",
            static (o, v) => o.StatsTags = [.. o.StatsTags, FlagValues.Tag(v)], IsMultiple: true),
        new("version", null, null, "Show the version.", static (o, _) => o.Intent = RunIntent.ShowVersion),
        new("help", "h", null, "Show this.", static (o, _) => o.Intent = RunIntent.ShowHelp),
    ];

    public static string Help
    {
        get
        {
            var text = new StringBuilder("usage: meshproxy [flags]\n\n");
            foreach (var flag in All)
            {
                var name = (flag.ShortName == null ? "" : $"-{flag.ShortName}, ") + "--" + flag.Name
                    + (flag.ValueName == null ? "" : $" <{flag.ValueName}>");
                text.Append("  ").Append(name).Append("\n      ").Append(flag.Help).Append('\n');
            }

            return text.ToString();
        }
    }

    /// <summary>A flag as it is written, with its dashes, or null.</summary>
    public static EnvoyFlag? Find(string written)
    {
        foreach (var flag in All)
        {
            if (written.StartsWith("--", StringComparison.Ordinal)
                ? written.AsSpan(2).SequenceEqual(flag.Name)
                : written.Length == 2 && written[0] == '-' && flag.ShortName != null && written[1] == flag.ShortName[0])
            {
                return flag;
            }
        }

        return null;
    }
}
