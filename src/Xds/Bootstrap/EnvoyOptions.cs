namespace MeshProxy.Xds.Bootstrap;

/// <summary>Envoy's command line. Defaults are Envoy's.</summary>
public sealed class EnvoyOptions
{
    private EnvoyOptions()
    {
    }

    /// <summary>Whether to run at all, or only to tell something.</summary>
    public RunIntent Intent { get; internal set; }

    /// <summary><c>-c</c>; empty when absent.</summary>
    public string ConfigPath { get; internal set; } = "";

    /// <summary><c>--config-yaml</c>, merged over the file; empty when absent.</summary>
    public string ConfigYaml { get; internal set; } = "";

    public ServerMode Mode { get; internal set; }

    /// <summary>Number of workers; null for one a CPU.</summary>
    public uint? Concurrency { get; internal set; }

    /// <summary>Workers by the CPUs the process may run on.</summary>
    public bool CpusetThreads { get; internal set; }

    public bool AllowUnknownStaticFields { get; internal set; }

    public bool RejectUnknownDynamicFields { get; internal set; }

    /// <summary>Neither refuse nor count unknown fields of dynamic configuration.</summary>
    public bool IgnoreUnknownDynamicFields { get; internal set; }

    /// <summary>No warnings about deprecated fields.</summary>
    public bool SkipDeprecatedLogs { get; internal set; }

    /// <summary>File that gets the address the admin interface listens at; empty for none.</summary>
    public string AdminAddressPath { get; internal set; } = "";

    /// <summary>Whether the node's own address is looked for in IPv6.</summary>
    public bool LocalAddressIsIpv6 { get; internal set; }

    public LogLevel LogLevel { get; internal set; } = LogLevel.Info;

    /// <summary>Levels of single loggers.</summary>
    public IReadOnlyDictionary<string, LogLevel> ComponentLogLevels { get; internal set; } = new Dictionary<string, LogLevel>();

    public bool EnableFineGrainLogging { get; internal set; }

    /// <summary>spdlog pattern; empty for the default.</summary>
    public string LogFormat { get; internal set; } = "";

    /// <summary>Line breaks within a log record are written as <c>\n</c>.</summary>
    public bool LogFormatEscaped { get; internal set; }

    /// <summary>Empty for standard error.</summary>
    public string LogPath { get; internal set; } = "";

    public string ServiceCluster { get; internal set; } = "";

    public string ServiceNode { get; internal set; } = "";

    public string ServiceZone { get; internal set; } = "";

    public TimeSpan FileFlushInterval { get; internal set; } = TimeSpan.FromSeconds(10);

    /// <summary>In kibibytes.</summary>
    public uint FileFlushMinimumSizeKb { get; internal set; } = 64;

    public TimeSpan DrainTime { get; internal set; } = TimeSpan.FromSeconds(600);

    /// <summary>All connections are told to close when a drain begins, not ever more of them over its time.</summary>
    public bool DrainsImmediately { get; internal set; }

    public TimeSpan ParentShutdownTime { get; internal set; } = TimeSpan.FromSeconds(900);

    public bool DisableHotRestart { get; internal set; }

    public uint RestartEpoch { get; internal set; }

    public uint BaseId { get; internal set; }

    public bool UseDynamicBaseId { get; internal set; }

    public string BaseIdPath { get; internal set; } = "";

    public bool SkipHotRestartOnNoParent { get; internal set; }

    public bool SkipHotRestartParentStats { get; internal set; }

    /// <summary>Socket of a hot restart; a name with <c>@</c> in front is of the abstract namespace.</summary>
    public string SocketPath { get; internal set; } = "@envoy_domain_socket";

    /// <summary>Permissions of that socket.</summary>
    public uint SocketMode { get; internal set; }

    public bool EnableMutexTracing { get; internal set; }

    public bool EnableCoreDump { get; internal set; }

    public IReadOnlyList<string> DisabledExtensions { get; internal set; } = [];

    /// <summary>Fixed tags of all statistics.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> StatsTags { get; internal set; } = [];

    /// <summary>Reads arguments as Envoy does, the program's name not among them. <c>--flag=value</c> is taken too.</summary>
    /// <exception cref="OptionsException">A flag is unknown, given twice, lacks a value or has a bad one.</exception>
    public static EnvoyOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new EnvoyOptions();
        var given = new HashSet<EnvoyFlag>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var (flag, value) = Split(arguments[i]);
            if (!given.Add(flag) && !flag.IsMultiple)
            {
                throw new OptionsException($"the flag --{flag.Name} is given twice: give it once");
            }

            if (flag.ValueName != null && value == null)
            {
                value = ++i < arguments.Count
                    ? arguments[i]
                    : throw new OptionsException($"the flag --{flag.Name} needs a value: --{flag.Name} <{flag.ValueName}>");
            }

            flag.Apply(options, value ?? "");
            if (options.Intent != RunIntent.Run)
            {
                break;
            }
        }

        return options;
    }

    /// <summary>What <c>--help</c> prints: every flag with its value and meaning.</summary>
    public static string Help => EnvoyFlags.Help;

    private static (EnvoyFlag Flag, string? Value) Split(string argument)
    {
        if (EnvoyFlags.Find(argument) is { } flag)
        {
            return (flag, null);
        }

        var equals = argument.IndexOf('=');
        if (equals > 0 && EnvoyFlags.Find(argument[..equals]) is { } assigned)
        {
            return assigned.ValueName != null
                ? (assigned, argument[(equals + 1)..])
                : throw new OptionsException($"the flag --{assigned.Name} takes no value: leave out {argument[equals..]}");
        }

        throw new OptionsException($"the argument {argument} is unknown: see --help for the flags");
    }
}
