using Envoy.Extensions.Filters.Http.Ratelimit.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Ratelimit.V3.RateLimit;

namespace MeshProxy.Proxy.Http.Filters.RateLimit;

/// <summary>envoy.filters.http.ratelimit: a service counts requests of all proxies together.</summary>
internal sealed class RateLimitFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.ratelimit";

    public string PerRouteConfigType => RateLimitPerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) =>
        new RateLimitSettings(Config.From(config), context);

    public object CompilePerRoute(Message config, FactoryContext context) =>
        new RateLimitRouteSettings(RateLimitPerRoute.From(config), context);
}
