using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutation;
using PerRoute = Envoy.Extensions.Filters.Http.HeaderMutation.V3.HeaderMutationPerRoute;

namespace MeshProxy.Proxy.Http.Filters.HeaderMutation;

/// <summary>envoy.filters.http.header_mutation.</summary>
internal sealed class HeaderMutationFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.header_mutation";

    public string? PerRouteConfigType => PerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        return new Compiled(MutationSet.Compile(config.Mutations, "header_mutation.mutations"), config.MostSpecificHeaderMutationsWins);
    }

    public object CompilePerRoute(Message config, FactoryContext context) =>
        MutationSet.Compile(PerRoute.From(config).Mutations, "header_mutation.mutations");

    private sealed class Compiled(MutationSet mutations, bool mostSpecificWins) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new HeaderMutationFilter(mutations, mostSpecificWins));
    }
}
