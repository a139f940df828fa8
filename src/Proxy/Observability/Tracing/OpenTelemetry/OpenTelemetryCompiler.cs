using Envoy.Config.Trace.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.OpenTelemetry;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>Compiles trace.v3.OpenTelemetryConfig.</summary>
internal static class OpenTelemetryCompiler
{
    private const string Service = "opentelemetry.proto.collector.trace.v1.TraceService";

    /// <exception cref="ConfigurationException">No collector, or a sampler or detector is unknown.</exception>
    public static OpenTelemetryTracer Compile(OpenTelemetryConfig config, FactoryContext context, string field)
    {
        if (config.GrpcService is not null && config.HttpService is not null)
        {
            throw new ConfigurationException(
                $"{field}: OpenTelemetry Tracer cannot have both gRPC and HTTP exporters configured; remove one.");
        }
        return new OpenTelemetryTracer(
            context.ServerScope.Scope("tracing.opentelemetry").Block(OpenTelemetryTracer.Layout), context.Workers, context.Runtime,
            (int)(config.MaxCacheSize ?? OpenTelemetryTracer.DefaultMaxKept),
            new SpanRequests(
                OtlpResources.Of(
                    config.ServiceName, config.SetServiceNameResourceAttribute ?? true,
                    config.SetTelemetrySdkResourceAttributes ?? true, config.ResourceDetectors, field),
                config.SetInstrumentationScope ?? true),
            OtlpExporter.Compile(config.GrpcService, config.HttpService, Service, context, field),
            Samplers.Compile(config.Sampler, context, $"{field}.sampler"));
    }
}
