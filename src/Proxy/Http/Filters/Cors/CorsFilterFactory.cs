using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.Cors.V3.Cors;
using Policy = Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy;

namespace MeshProxy.Proxy.Http.Filters.Cors;

/// <summary>envoy.filters.http.cors: which other origins' pages may read answers; policies are per route.</summary>
internal sealed class CorsFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.cors";

    public string PerRouteConfigType => Policy.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context)
    {
        var scope = context.ServerScope.Scope($"{statPrefix}cors");
        return new Compiled(scope.Counter("origin_valid"), scope.Counter("origin_invalid"));
    }

    public object CompilePerRoute(Message config, FactoryContext context) => new CorsPolicy(Policy.From(config), context.Runtime);

    private sealed class Compiled(Counter valid, Counter invalid) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new CorsFilter(valid, invalid));
    }
}
