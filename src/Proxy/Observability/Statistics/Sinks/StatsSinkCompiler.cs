using Envoy.Config.Metrics.V3;
using Envoy.Extensions.StatSinks.GraphiteStatsd.V3;
using Envoy.Extensions.StatSinks.OpenTelemetry.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability.OpenTelemetry;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Compiles the bootstrap's stats_sinks.</summary>
internal static class StatsSinkCompiler
{
    /// <exception cref="ConfigurationException">A sink is unknown or incomplete, or its cluster is.</exception>
    public static IReadOnlyList<IStatsSink> Compile(IReadOnlyList<StatsSink> configs, StatsStore store, FactoryContext context)
    {
        var sinks = new IStatsSink[configs.Count];
        for (var i = 0; i < sinks.Length; i++)
        {
            sinks[i] = Compile(configs[i], store, context, $"stats_sinks[{configs[i].Name}]");
        }
        return sinks;
    }

    private static IStatsSink Compile(StatsSink config, StatsStore store, FactoryContext context, string field)
    {
        if (config.TypedConfig is { } typed)
        {
            if (typed.Is<StatsdSink>())
            {
                return Statsd(typed.Unpack<StatsdSink>(), store, context, field);
            }
            if (typed.Is<DogStatsdSink>())
            {
                var dog = typed.Unpack<DogStatsdSink>();
                return Udp(new StatsdFormat(store, dog.Prefix, StatsdTags.AfterValue, dog.ScaleHistogramUnitsToMilliseconds),
                    dog.Address, dog.MaxBytesPerDatagram, field);
            }
            if (typed.Is<GraphiteStatsdSink>())
            {
                var graphite = typed.Unpack<GraphiteStatsdSink>();
                return Udp(
                    new StatsdFormat(store, graphite.Prefix, StatsdTags.AfterName, graphite.ScaleHistogramUnitsToMilliseconds),
                    graphite.Address, graphite.MaxBytesPerDatagram, field);
            }
            if (typed.Is<MetricsServiceConfig>())
            {
                return MetricsService(typed.Unpack<MetricsServiceConfig>(), context, field);
            }
            if (typed.Is<SinkConfig>())
            {
                return OpenTelemetry(typed.Unpack<SinkConfig>(), context, field);
            }
        }
        throw new ConfigurationException(
            $"{field}: Didn't find a registered implementation for '{config.Name}' with type URL: '{config.TypedConfig?.TypeName}'; "
            + "use statsd, dog_statsd, graphite_statsd, metrics_service or open_telemetry.");
    }

    private static IStatsSink Statsd(StatsdSink config, StatsStore store, FactoryContext context, string field)
    {
        var format = new StatsdFormat(store, config.Prefix, StatsdTags.None, config.ScaleHistogramUnitsToMilliseconds);
        if (config.StatsdSpecifierCase != StatsdSink.StatsdSpecifierOneofCase.TcpClusterName)
        {
            return Udp(format, config.Address, null, field);
        }
        if (context.Clusters.Get(config.TcpClusterName) is null)
        {
            throw new ConfigurationException(
                $"{field}.tcp_cluster_name: tcp statsd: unknown cluster '{config.TcpClusterName}'; define it.");
        }
        return new TcpStatsdSink(
            format, context.Clusters, config.TcpClusterName, context.ServerScope.Counter("statsd.cx_overflow"), store.LoopCount);
    }

    private static UdpStatsdSink Udp(
        StatsdFormat format, Envoy.Config.Core.V3.Address? address, ulong? maxBytes, string field) =>
        address is { } given
            ? new UdpStatsdSink(format, Addresses.Resolve(given), maxBytes ?? 0)
            : throw new ConfigurationException($"{field}.address: a statsd sink does not say where to send; set it.");

    private static MetricsServiceSink MetricsService(MetricsServiceConfig config, FactoryContext context, string field)
    {
        var service = config.GrpcService
            ?? throw new ConfigurationException($"{field}.grpc_service: a metrics service has no service; set it.");
        return new MetricsServiceSink(GrpcAsyncClient.Compile(service, context, $"{field}.grpc_service"), context.Node, config);
    }

    private static OpenTelemetrySink OpenTelemetry(SinkConfig config, FactoryContext context, string field)
    {
        if (config.CustomMetricConversions is not null)
        {
            throw new ConfigurationException(
                $"{field}.custom_metric_conversions: metrics are not renamed on their way; remove it.");
        }
        return new OpenTelemetrySink(
            OtlpExporter.Compile(config.GrpcService, config.HttpService, OpenTelemetrySink.Service, context, field),
            OtlpResources.Of("", namesService: true, namesSdk: true, config.ResourceDetectors, field),
            new OtlpMetrics(config), config.MaxDataPointsPerRequest);
    }
}
