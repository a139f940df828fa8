using MeshProxy.Proxy.Configuration;
using Provider = Envoy.Config.Trace.V3.Tracing.Http;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>The bootstrap's `tracing`: who traces for HCMs that name no provider.</summary>
internal sealed class DefaultTracing
{
    public Provider? Provider { get; set; }

    public static DefaultTracing Of(Singletons singletons) => singletons.Get("bootstrap", static () => new DefaultTracing());
}
