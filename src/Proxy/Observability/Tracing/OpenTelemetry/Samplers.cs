using Envoy.Extensions.Tracers.Opentelemetry.Samplers.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching.Cel;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Observability.Tracing.OpenTelemetry;

/// <summary>Samplers by the name of their configuration.</summary>
internal static class Samplers
{
    /// <exception cref="ConfigurationException">The sampler is unknown or incomplete.</exception>
    public static ISampler? Compile(TypedExtensionConfig? config, FactoryContext context, string field)
    {
        if (config is not { } given)
        {
            return null;
        }
        if (given.TypedConfig is not { } typed)
        {
            throw new ConfigurationException($"{field}.typed_config: the sampler {given.Name} has no configuration; set it.");
        }
        if (typed.Is<AlwaysOnSamplerConfig>())
        {
            return new AlwaysOn();
        }
        if (typed.Is<ParentBasedSamplerConfig>())
        {
            var wrapped = Compile(typed.Unpack<ParentBasedSamplerConfig>().WrappedSampler, context, $"{field}.wrapped_sampler")
                ?? throw new ConfigurationException($"{field}.wrapped_sampler: requests without a parent need a sampler; set one.");
            return new ParentBased(wrapped);
        }
        if (typed.Is<TraceIdRatioBasedSamplerConfig>())
        {
            return new TraceIdRatio(new FractionalPercent(
                typed.Unpack<TraceIdRatioBasedSamplerConfig>().SamplingPercentage, "", context.Runtime));
        }
        if (typed.Is<CELSamplerConfig>())
        {
            var expression = typed.Unpack<CELSamplerConfig>().Expression
                ?? throw new ConfigurationException($"{field}.expression: the sampler needs an expression; set one.");
            return new ByExpression(CelExpression.Compile(expression, $"{field}.expression", new CelEnvironment(context.Node)));
        }
        throw new ConfigurationException(
            $"{field}: Sampler factory not found: '{given.Name}'; use always_on, parent_based, trace_id_ratio_based or cel.");
    }

    private sealed class AlwaysOn : ISampler
    {
        public bool Decide(TraceContext? parent, ulong traceLow, in LogContext context) => true;
    }

    private sealed class ParentBased(ISampler root) : ISampler
    {
        public bool Decide(TraceContext? parent, ulong traceLow, in LogContext context) =>
            parent?.Sampled ?? root.Decide(parent, traceLow, context);
    }

    private sealed class TraceIdRatio(FractionalPercent share) : ISampler
    {
        public bool Decide(TraceContext? parent, ulong traceLow, in LogContext context) => share.Takes(traceLow);
    }

    private sealed class ByExpression(CelExpression expression) : ISampler
    {
        public bool Decide(TraceContext? parent, ulong traceLow, in LogContext context) => expression.Matches(context);
    }
}
