using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using FileConfig = Envoy.Extensions.AccessLoggers.File.V3.FileAccessLog;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>Compiles access_log entries: sink by type, then its filter.</summary>
public static class AccessLogCompiler
{
    public static IReadOnlyList<IAccessLog> Compile(MessageList<AccessLog> logs, FactoryContext context)
    {
        var compiled = new List<IAccessLog>();
        foreach (var log in logs)
        {
            compiled.Add(Compile(log, context));
        }
        return compiled;
    }

    public static IAccessLog Compile(AccessLog log, FactoryContext context)
    {
        if (log.Filter is not null)
        {
            throw new ConfigurationException($"access_log '{log.Name}': its filter is not supported; remove it.");
        }
        if (log.TypedConfig is { } config)
        {
            if (config.TryUnpack<FileConfig>(out var file))
            {
                return new FileAccessLog(context.AccessLogs.Open(file.Path), Format(file));
            }
            if (config.TryUnpack<StdoutAccessLog>(out var stdout))
            {
                return new FileAccessLog(context.AccessLogs.Open("/dev/stdout"), Format(stdout.LogFormat));
            }
            if (config.TryUnpack<StderrAccessLog>(out var stderr))
            {
                return new FileAccessLog(context.AccessLogs.Open("/dev/stderr"), Format(stderr.LogFormat));
            }
        }
        throw new ConfigurationException(
            $"Didn't find a registered implementation for '{log.Name}' with type URL: '{log.TypedConfig?.TypeName ?? ""}'");
    }

    private static IFormatter Format(FileConfig file) => file.AccessLogFormatCase switch
    {
        FileConfig.AccessLogFormatOneofCase.Format when file.Format.Length > 0 => SubstitutionFormat.Compile(file.Format),
        FileConfig.AccessLogFormatOneofCase.JsonFormat =>
            SubstitutionFormat.CompileStruct(MetadataConversion.ToStruct(file.JsonFormat!.Value)),
        FileConfig.AccessLogFormatOneofCase.TypedJsonFormat =>
            SubstitutionFormat.CompileStruct(MetadataConversion.ToStruct(file.TypedJsonFormat!.Value)),
        FileConfig.AccessLogFormatOneofCase.LogFormat => Format(file.LogFormat),
        _ => SubstitutionFormat.Compile(SubstitutionFormat.DefaultLogFormat),
    };

    private static IFormatter Format(SubstitutionFormatString? format)
    {
        if (format is not { } present)
        {
            return SubstitutionFormat.Compile(SubstitutionFormat.DefaultLogFormat);
        }
        return present.FormatCase switch
        {
            SubstitutionFormatString.FormatOneofCase.JsonFormat => SubstitutionFormat.CompileStruct(
                MetadataConversion.ToStruct(present.JsonFormat!.Value), present.OmitEmptyValues),
            SubstitutionFormatString.FormatOneofCase.TextFormatSource => SubstitutionFormat.Compile(
                present.TextFormatSource!.Value.InlineString, present.OmitEmptyValues),
            _ => SubstitutionFormat.Compile(present.TextFormat, present.OmitEmptyValues),
        };
    }
}
