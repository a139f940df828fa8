using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.HeaderToMetadata.V3.Config;

namespace MeshProxy.Proxy.Http.Filters.HeaderToMetadata;

/// <summary>envoy.filters.http.header_to_metadata.</summary>
internal sealed class HeaderToMetadataFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.header_to_metadata";

    public string? PerRouteConfigType => Config.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context) =>
        new Compiled(new MetadataRules(Config.From(config)));

    public object CompilePerRoute(Message config, FactoryContext context) => new MetadataRules(Config.From(config));

    private sealed class Compiled(MetadataRules rules) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new HeaderToMetadataFilter(rules));
    }
}
