using Envoy.Extensions.Filters.Http.ApiKeyAuth.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.ApiKeyAuth.V3.ApiKeyAuth;

namespace MeshProxy.Proxy.Http.Filters.ApiKeyAuth;

/// <summary>envoy.filters.http.api_key_auth: clients known by a key.</summary>
internal sealed class ApiKeyFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.api_key_auth";

    public string PerRouteConfigType => ApiKeyAuthPerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var scope = context.ServerScope.Scope($"{statPrefix}api_key_auth");
        return new Compiled(
            new ApiKeyPolicy(config.Credentials, config.KeySources, config.Forwarding, []), scope.Counter("allowed"),
            scope.Counter("unauthorized"), scope.Counter("forbidden"));
    }

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = ApiKeyAuthPerRoute.From(message);
        return new ApiKeyPolicy(config.Credentials, config.KeySources, config.Forwarding, config.AllowedClients);
    }

    private sealed class Compiled(ApiKeyPolicy policy, Counter allowed, Counter unauthorized, Counter forbidden) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) =>
            chain.AddDecoderFilter(new ApiKeyFilter(policy, allowed, unauthorized, forbidden));
    }
}
