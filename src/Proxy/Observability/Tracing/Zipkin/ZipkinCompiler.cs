using Envoy.Config.Trace.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Async;
using MeshProxy.Proxy.Http.ConnectionManager;
using Version = Envoy.Config.Trace.V3.ZipkinConfig.CollectorEndpointVersion;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>Compiles trace.v3.ZipkinConfig.</summary>
internal static class ZipkinCompiler
{
    /// <summary>Envoy's limit of one report.</summary>
    private static readonly TimeSpan ReportTimeout = TimeSpan.FromSeconds(5);

    /// <exception cref="ConfigurationException">The collector is not told, or its cluster or format is unknown.</exception>
    public static ZipkinTracer Compile(ZipkinConfig config, FactoryContext context, string field)
    {
        var shares = config.SharedSpanContext ?? true;
        var writer = WriterOf(config, context, shares, field);
        return new ZipkinTracer(
            new ZipkinOptions(config.TraceId128Bit, shares,
                config.TraceContextOptionValue == ZipkinConfig.TraceContextOption.UseB3WithW3CPropagation),
            context.ServerScope.Scope("tracing.zipkin").Block(ZipkinTracer.Layout), context.Workers, context.Runtime,
            CollectorOf(config, writer.ContentType, context, field), writer);
    }

    private static ZipkinSpanWriter WriterOf(ZipkinConfig config, FactoryContext context, bool shares, string field)
    {
        var service = context.Node.Cluster;
        var address = LocalAddresses.First;
        return config.CollectorEndpointVersionValue switch
        {
            Version.HttpJson => new ZipkinJsonWriter(service, address, shares),
            Version.HttpProto => new ZipkinProtoWriter(service, address, shares),
            _ => throw new ConfigurationException(
                $"{field}.collector_endpoint_version: the version is not supported; use HTTP_JSON or HTTP_PROTO."),
        };
    }

    private static HttpServiceClient CollectorOf(ZipkinConfig config, string contentType, FactoryContext context, string field)
    {
        if (config.CollectorService is { } service)
        {
            return HttpServiceClient.Compile(service, contentType, context, $"{field}.collector_service");
        }
        if (config.CollectorCluster.Length == 0 || config.CollectorEndpoint.Length == 0)
        {
            throw new ConfigurationException(
                $"{field}: collector_cluster and collector_endpoint must be specified when not using collector_service; set both.");
        }
        if (context.Clusters.Get(config.CollectorCluster) is null)
        {
            throw new ConfigurationException($"{field}.collector_cluster: Unknown cluster '{config.CollectorCluster}'; define it.");
        }
        return new HttpServiceClient(context.Clusters, config.CollectorCluster,
            config.CollectorHostname.Length > 0 ? config.CollectorHostname : config.CollectorCluster, config.CollectorEndpoint, contentType,
            ReportTimeout);
    }
}
