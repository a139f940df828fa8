using Envoy.Config.Trace.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Proxy.Server;
using Opentelemetry.Proto.Resource.V1;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>Compiles trace.v3.OpenTelemetryConfig.</summary>
internal static class OpenTelemetryCompiler
{
    private const string Service = "opentelemetry.proto.collector.trace.v1.TraceService";

    /// <summary>Name of a service that was not told its own (OpenTelemetry resource conventions, service.name).</summary>
    private const string UnknownService = "unknown_service:envoy";

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
            new SpanRequests(ResourceOf(config, field), config.SetInstrumentationScope ?? true),
            OtlpExporter.Compile(config.GrpcService, config.HttpService, Service, context, field),
            Samplers.Compile(config.Sampler, context, $"{field}.sampler"));
    }

    private static Resource ResourceOf(OpenTelemetryConfig config, string field)
    {
        var attributes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (config.SetServiceNameResourceAttribute ?? true)
        {
            attributes["service.name"] = config.ServiceName.Length > 0 ? config.ServiceName : UnknownService;
        }
        if (config.SetTelemetrySdkResourceAttributes ?? true)
        {
            // As Envoy's own, whose place this takes: collectors group by it.
            attributes["telemetry.sdk.language"] = "cpp";
            attributes["telemetry.sdk.name"] = "envoy";
            attributes["telemetry.sdk.version"] = ServerVersion.EnvoyCompatible;
        }
        foreach (var detector in config.ResourceDetectors)
        {
            foreach (var (key, value) in ResourceDetectors.Detect(detector, $"{field}.resource_detectors[{detector.Name}]"))
            {
                Put(attributes, key, value);
            }
        }
        var resource = Resource.New();
        foreach (var (key, value) in attributes)
        {
            OtlpAttributes.Add(resource.Attributes, key, value);
        }
        return resource;
    }

    // An empty value tells nothing: it does not replace what is known.
    private static void Put(SortedDictionary<string, string> attributes, string key, string value)
    {
        if (value.Length > 0 || !attributes.ContainsKey(key))
        {
            attributes[key] = value;
        }
    }
}
