using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit;

namespace MeshProxy.Proxy.Http.Filters.LocalRateLimit;

/// <summary>envoy.filters.http.local_ratelimit.</summary>
internal sealed class HttpLocalRateLimitFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.local_ratelimit";

    public string PerRouteConfigType => Config.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) =>
        new Compiled(new LocalRateLimitSettings(Config.From(config), context));

    public object CompilePerRoute(Message config, FactoryContext context) => new LocalRateLimitSettings(Config.From(config), context);

    private sealed class Compiled(LocalRateLimitSettings settings) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new LocalRateLimitFilter(settings));
    }
}
