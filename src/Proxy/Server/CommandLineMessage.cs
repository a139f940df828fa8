using Envoy.Admin.V3;
using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Proxy.Server;

/// <summary>The flags as /server_info shows them.</summary>
public static class CommandLineMessage
{
    public static CommandLineOptions Of(EnvoyOptions options)
    {
        var message = CommandLineOptions.New();
        message.BaseId = options.BaseId;
        message.Concurrency = options.Concurrency ?? (uint)Environment.ProcessorCount;
        message.ConfigPath = options.ConfigPath;
        message.ConfigYaml = options.ConfigYaml;
        message.AllowUnknownStaticFields = options.AllowUnknownStaticFields;
        message.RejectUnknownDynamicFields = options.RejectUnknownDynamicFields;
        message.IgnoreUnknownDynamicFields = options.IgnoreUnknownDynamicFields;
        message.AdminAddressPath = options.AdminAddressPath;
        message.LocalAddressIpVersion = options.LocalAddressIsIpv6 ? CommandLineOptions.IpVersion.V6 : CommandLineOptions.IpVersion.V4;
        message.LogLevel = options.LogLevel.ToString().ToLowerInvariant();
        message.ComponentLogLevel = string.Join(',',
            options.ComponentLogLevels.Select(pair => $"{pair.Key}:{pair.Value.ToString().ToLowerInvariant()}"));
        message.LogFormat = options.LogFormat;
        message.LogFormatEscaped = options.LogFormatEscaped;
        message.LogPath = options.LogPath;
        message.ServiceCluster = options.ServiceCluster;
        message.ServiceNode = options.ServiceNode;
        message.ServiceZone = options.ServiceZone;
        message.FileFlushInterval = options.FileFlushInterval;
        message.FileFlushMinSize = options.FileFlushMinimumSizeKb;
        message.DrainTime = options.DrainTime;
        message.DrainStrategyValue = options.DrainsImmediately
            ? CommandLineOptions.DrainStrategy.Immediate : CommandLineOptions.DrainStrategy.Gradual;
        message.ParentShutdownTime = options.ParentShutdownTime;
        message.ModeValue = options.Mode == ServerMode.Validate ? CommandLineOptions.Mode.Validate : CommandLineOptions.Mode.Serve;
        message.DisableHotRestart = options.DisableHotRestart;
        message.RestartEpoch = options.RestartEpoch;
        message.EnableMutexTracing = options.EnableMutexTracing;
        message.CpusetThreads = options.CpusetThreads;
        message.UseDynamicBaseId = options.UseDynamicBaseId;
        message.BaseIdPath = options.BaseIdPath;
        message.EnableFineGrainLogging = options.EnableFineGrainLogging;
        message.SocketPath = options.SocketPath;
        message.SocketMode = options.SocketMode;
        message.EnableCoreDump = options.EnableCoreDump;
        message.SkipHotRestartOnNoParent = options.SkipHotRestartOnNoParent;
        message.SkipHotRestartParentStats = options.SkipHotRestartParentStats;
        message.SkipDeprecatedLogs = options.SkipDeprecatedLogs;
        message.DisabledExtensions.AddRange(options.DisabledExtensions);
        message.StatsTag.AddRange(options.StatsTags.Select(tag => $"{tag.Key}:{tag.Value}"));
        return message;
    }
}
