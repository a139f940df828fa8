using Envoy.Config.Accesslog.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.AccessLoggers.File.V3;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using Envoy.Extensions.AccessLoggers.Stream.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.AccessLogs.Remote;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>Compiles the access logs of a listener, HCM, tcp_proxy, router or the admin interface.</summary>
public static class AccessLogCompiler
{
    /// <exception cref="ConfigurationException">A log or its filter is unknown, incomplete, or its file cannot be opened.</exception>
    public static IReadOnlyList<IAccessLog> Compile(IReadOnlyList<AccessLog> configs, FactoryContext context)
    {
        var logs = new IAccessLog[configs.Count];
        for (var i = 0; i < logs.Length; i++)
        {
            logs[i] = Compile(configs[i], context);
        }
        return logs;
    }

    /// <exception cref="ConfigurationException">The log or its filter is unknown, incomplete, or its file cannot be opened.</exception>
    public static IAccessLog Compile(AccessLog config, FactoryContext context)
    {
        var log = CompileSink(config, context);
        return config.Filter is { } filter ? new FilteredAccessLog(log, AccessLogFilterCompiler.Compile(filter, context)) : log;
    }

    private static IAccessLog CompileSink(AccessLog config, FactoryContext context)
    {
        var type = config.TypedConfig?.TypeName ?? TypeOf(config.Name);
        if (type == FileAccessLog.Descriptor.FullName)
        {
            return CompileFile(Unpack<FileAccessLog>(config), context);
        }
        if (type == StdoutAccessLog.Descriptor.FullName)
        {
            return new FormattedAccessLog(
                context.AccessLogs.Open("/dev/stdout"), Format(Unpack<StdoutAccessLog>(config).LogFormat));
        }
        if (type == StderrAccessLog.Descriptor.FullName)
        {
            return new FormattedAccessLog(
                context.AccessLogs.Open("/dev/stderr"), Format(Unpack<StderrAccessLog>(config).LogFormat));
        }
        if (type == HttpGrpcAccessLogConfig.Descriptor.FullName)
        {
            return GrpcLogCompiler.CompileHttp(Unpack<HttpGrpcAccessLogConfig>(config), context);
        }
        if (type == TcpGrpcAccessLogConfig.Descriptor.FullName)
        {
            return GrpcLogCompiler.CompileTcp(Unpack<TcpGrpcAccessLogConfig>(config), context);
        }
        if (type == OpenTelemetryAccessLogConfig.Descriptor.FullName)
        {
            return OpenTelemetryLogCompiler.Compile(Unpack<OpenTelemetryAccessLogConfig>(config), context);
        }
        throw new ConfigurationException(
            $"Didn't find a registered implementation for '{config.Name}' with type URL: '{type}'; use a file, stdout, stderr, gRPC or OpenTelemetry access log.");
    }

    private static FormattedAccessLog CompileFile(FileAccessLog config, FactoryContext context)
    {
        if (config.Path.Length == 0)
        {
            throw new ConfigurationException("A file access log has no path; set it.");
        }
        var formatter = config.AccessLogFormatCase switch
        {
            FileAccessLog.AccessLogFormatOneofCase.Format when config.Format.Length > 0 => SubstitutionFormat.Compile(config.Format),
            FileAccessLog.AccessLogFormatOneofCase.JsonFormat => SubstitutionFormat.CompileStruct(
                MetadataConversion.ToStruct(config.JsonFormat!.Value)),
            FileAccessLog.AccessLogFormatOneofCase.TypedJsonFormat => SubstitutionFormat.CompileStruct(
                MetadataConversion.ToStruct(config.TypedJsonFormat!.Value)),
            _ => Format(config.LogFormat),
        };
        return new FormattedAccessLog(context.AccessLogs.Open(config.Path), formatter);
    }

    private static IFormatter Format(SubstitutionFormatString? config) =>
        config is { } format && format.FormatCase != SubstitutionFormatString.FormatOneofCase.None
            ? SubstitutionFormat.Compile(format, "log_format")
            : SubstitutionFormat.Compile(SubstitutionFormat.DefaultLogFormat);

    private static T Unpack<T>(AccessLog config)
        where T : struct, IMessage<T> =>
        config.TypedConfig is { } typed ? typed.Unpack<T>() : T.From(new Message(T.Descriptor));

    // A log without configuration is known by its name.
    private static string TypeOf(string name) =>
        name switch
        {
            "envoy.access_loggers.file" => FileAccessLog.Descriptor.FullName,
            "envoy.access_loggers.stdout" => StdoutAccessLog.Descriptor.FullName,
            "envoy.access_loggers.http_grpc" => HttpGrpcAccessLogConfig.Descriptor.FullName,
            "envoy.access_loggers.tcp_grpc" => TcpGrpcAccessLogConfig.Descriptor.FullName,
            "envoy.access_loggers.open_telemetry" => OpenTelemetryAccessLogConfig.Descriptor.FullName,
            "envoy.access_loggers.stderr" => StderrAccessLog.Descriptor.FullName,
            _ => "",
        };
}
