using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Tracing;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A route's own tracing: it replaces the shares of its HCM, and its tags and names win.</summary>
internal sealed record RouteTracing(Sampling Sampling, SpanNaming Naming)
{
    public static RouteTracing Compile(Envoy.Config.Route.V3.Tracing config, IRuntime runtime, string field) => new(
        Sampling.Of(config, runtime), SpanNaming.Compile(config.CustomTags, config.Operation, config.UpstreamOperation, field));
}
