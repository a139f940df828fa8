using Envoy.Config.Trace.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;
using MeshProxy.Proxy.Observability.Tracing.Zipkin;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>Compiles the provider of an HCM's tracing. HCMs with the same provider share one tracer, and so its batches.</summary>
internal static class TracerCompiler
{
    /// <summary>Null when there is no provider, or one that is not built: requests are then chosen and counted, but nobody is told.</summary>
    /// <exception cref="ConfigurationException">The provider is unknown or incomplete.</exception>
    public static ITracer? Compile(Envoy.Config.Trace.V3.Tracing.Http? config, FactoryContext context, string field)
    {
        if ((config ?? DefaultTracing.Of(context.Singletons).Provider) is not { } provider)
        {
            return null;
        }
        if (provider.TypedConfig is { } packed && UnbuiltExtensions.IsTracer(packed.TypeName))
        {
            UnsupportedFeatures.Of(context.Singletons).Note(packed.TypeName, UnsupportedEffect.Ignored);
            return null;
        }
        var key = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(provider.Message.ToBytes()));
        return context.Singletons.Get(key, () => Create(provider, context, field));
    }

    public static bool IsKnown(Envoy.Config.Trace.V3.Tracing.Http provider) =>
        provider.TypedConfig is { } typed
        && (typed.Is<OpenTelemetryConfig>() || typed.Is<ZipkinConfig>() || UnbuiltExtensions.IsTracer(typed.TypeName));

    private static ITracer Create(Envoy.Config.Trace.V3.Tracing.Http provider, FactoryContext context, string field)
    {
        if (provider.TypedConfig is { } typed)
        {
            if (typed.Is<OpenTelemetryConfig>())
            {
                return OpenTelemetryCompiler.Compile(typed.Unpack<OpenTelemetryConfig>(), context, field);
            }
            if (typed.Is<ZipkinConfig>())
            {
                return ZipkinCompiler.Compile(typed.Unpack<ZipkinConfig>(), context, field);
            }
        }
        throw new ConfigurationException(
            $"{field}: Didn't find a registered implementation for '{provider.Name}' with type URL: '{provider.TypedConfig?.TypeName}'; use OpenTelemetry or Zipkin.");
    }
}
