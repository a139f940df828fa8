using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>Stands for an HTTP filter that is not built.</summary>
internal sealed class UnbuiltHttpFilter(string type, UnsupportedEffect effect, string? perRouteType = null) : IHttpFilterFactory
{
    public string ConfigType => type;

    public string Name => type;

    public string? PerRouteConfigType => perRouteType;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context)
    {
        UnsupportedFeatures.Of(context.Singletons).Note(type, effect);
        return effect == UnsupportedEffect.Refuses ? new Refusing() : new Inert();
    }

    /// <summary>A filter without effect has none per route either, and one that refuses does so everywhere.</summary>
    public object CompilePerRoute(Message config, FactoryContext context) => config;

    private sealed class Inert : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain)
        {
        }
    }

    private sealed class Refusing : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new RefusingFilter());
    }
}
