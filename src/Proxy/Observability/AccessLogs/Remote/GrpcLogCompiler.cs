using System.Security.Cryptography;
using Envoy.Extensions.AccessLoggers.Grpc.V3;
using Envoy.Service.Accesslog.V3;
using Envoy.Type.Tracing.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Compiles the logs kept by an access log service. Logs with the same settings share streams.</summary>
internal static class GrpcLogCompiler
{
    /// <summary>A stream is tried again only when it never reached the service: what it carried cannot be told twice.</summary>
    private const string StreamRetryConditions = "connect-failure";

    /// <exception cref="ConfigurationException">The service is incomplete or cannot be called.</exception>
    public static HttpGrpcAccessLog CompileHttp(HttpGrpcAccessLogConfig config, FactoryContext context)
    {
        var settings = Settings(config.CommonConfig);
        return new HttpGrpcAccessLog(
            Service(settings, GrpcLogKind.Http, context), Common(settings), new LoggedHeaders(config.AdditionalRequestHeadersToLog),
            new LoggedHeaders(config.AdditionalResponseHeadersToLog), new LoggedHeaders(config.AdditionalResponseTrailersToLog));
    }

    /// <exception cref="ConfigurationException">The service is incomplete or cannot be called.</exception>
    public static TcpGrpcAccessLog CompileTcp(TcpGrpcAccessLogConfig config, FactoryContext context)
    {
        var settings = Settings(config.CommonConfig);
        return new TcpGrpcAccessLog(Service(settings, GrpcLogKind.Tcp, context), Common(settings));
    }

    /// <exception cref="ConfigurationException">A tag is incomplete.</exception>
    public static CustomSpanTag[] Tags(IReadOnlyList<CustomTag> configs)
    {
        var tags = new CustomSpanTag[configs.Count];
        for (var i = 0; i < tags.Length; i++)
        {
            tags[i] = CustomSpanTag.Compile(configs[i], "custom_tags");
        }
        return tags;
    }

    private static CommonGrpcAccessLogConfig Settings(CommonGrpcAccessLogConfig? config) => config
        ?? throw new ConfigurationException("common_config: a gRPC access log does not say which service keeps it; set it.");

    private static CommonProperties Common(CommonGrpcAccessLogConfig config) =>
        new([.. config.FilterStateObjectsToLog], Tags(config.CustomTags));

    private static GrpcLogService Service(CommonGrpcAccessLogConfig config, GrpcLogKind kind, FactoryContext context)
    {
        var service = config.GrpcService
            ?? throw new ConfigurationException("common_config.grpc_service: a gRPC access log has no service; set it.");
        var client = GrpcAsyncClient.Compile(service, context, "common_config.grpc_service");
        var key = $"{kind}:{Convert.ToHexString(SHA256.HashData(config.Message.ToBytes()))}";
        return context.Singletons.Get(key, () => Create(config, client, kind, context));
    }

    private static GrpcLogService Create(
        CommonGrpcAccessLogConfig config, GrpcAsyncClient client, GrpcLogKind kind, FactoryContext context)
    {
        var identifier = StreamAccessLogsMessage.Identifier.New();
        identifier.Node = context.Node;
        identifier.LogName = config.LogName;
        var options = new AsyncRequestOptions
        {
            RetryPolicy = config.GrpcStreamRetryPolicy is { } policy
                ? CoreRetryPolicy.ToRoute(policy, StreamRetryConditions)
                : null,
        };
        return new GrpcLogService(client, identifier, kind,
            BatchSettings.Of(config.BufferFlushInterval, config.BufferSizeBytes), options,
            context.ServerScope.Scope("access_logs.grpc_access_log").Block(RemoteLogStats.Layout), context.Workers);
    }
}
