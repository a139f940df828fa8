using System.Security.Cryptography;
using Envoy.Extensions.AccessLoggers.OpenTelemetry.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Observability.OpenTelemetry;
using Opentelemetry.Proto.Common.V1;
using Opentelemetry.Proto.Logs.V1;
using Opentelemetry.Proto.Resource.V1;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Compiles OpenTelemetry access logs. Logs with the same settings share batches.</summary>
internal static class OpenTelemetryLogCompiler
{
    private const string Field = "open_telemetry access log";

    /// <exception cref="ConfigurationException">No collector, or what is to be sent is not understood.</exception>
    public static OpenTelemetryAccessLog Compile(OpenTelemetryAccessLogConfig config, FactoryContext context)
    {
        var extensions = FormatExtensions.Of(config.Formatters);
        var body = config.Body is { ValueCase: not AnyValue.ValueOneofCase.None } given
            ? OtlpValueFormat.Compile(given, extensions, $"{Field}: body")
            : null;
        var attributes = OtlpValueFormat.CompileFields(config.Attributes, extensions, $"{Field}: attributes");
        var key = Convert.ToHexString(SHA256.HashData(config.Message.ToBytes()));
        return new OpenTelemetryAccessLog(
            context.Singletons.Get(key, () => Service(config, context)), body, attributes, [.. config.FilterStateObjectsToLog],
            GrpcLogCompiler.Tags(config.CustomTags));
    }

    // What stands at the top is newer and goes before the deprecated common_config.
    private static OtlpLogService Service(OpenTelemetryAccessLogConfig config, FactoryContext context)
    {
        var grpc = config.GrpcService ?? config.CommonConfig?.GrpcService;
        if (grpc is not null && config.HttpService is not null)
        {
            throw new ConfigurationException($"{Field}: it has a gRPC and an HTTP collector; remove one.");
        }
        var scope = context.ServerScope.Scope(
            config.StatPrefix.Length > 0
                ? $"access_logs.open_telemetry_access_log.{config.StatPrefix}"
                : "access_logs.open_telemetry_access_log");
        return new OtlpLogService(
            OtlpExporter.Compile(grpc, config.HttpService, OtlpLogService.Service, context, Field), ResourceOf(config, context),
            BatchSettings.Of(
                config.BufferFlushInterval ?? config.CommonConfig?.BufferFlushInterval,
                config.BufferSizeBytes ?? config.CommonConfig?.BufferSizeBytes),
            scope.Block(RemoteLogStats.Layout), context.Workers);
    }

    private static ResourceLogs ResourceOf(OpenTelemetryAccessLogConfig config, FactoryContext context)
    {
        var attributes = new OtlpAttributeSet();
        if (!config.DisableBuiltinLabels)
        {
            var name = config.LogName.Length > 0 ? config.LogName : config.CommonConfig?.LogName ?? "";
            attributes.Put("log_name", name);
            attributes.Put("zone_name", context.Node.Locality?.Zone ?? "");
            attributes.Put("cluster_name", context.Node.Cluster);
            attributes.Put("node_name", context.Node.Id);
        }
        foreach (var detector in config.ResourceDetectors)
        {
            foreach (var (name, value) in ResourceDetectors.Detect(detector, $"{Field}: resource_detectors[{detector.Name}]"))
            {
                attributes.Put(name, value);
            }
        }
        foreach (var pair in config.ResourceAttributes?.Values ?? default)
        {
            attributes.Put(pair);
        }
        var resource = Resource.New();
        attributes.AddTo(resource.Attributes);
        var logs = ResourceLogs.New();
        logs.Resource = resource;
        return logs;
    }
}
