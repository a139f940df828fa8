using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Xds.Protobuf;
using Stats;

namespace MeshProxy.Proxy.Http.Filters.IstioStats;

/// <summary>istio.stats on requests.</summary>
internal sealed class IstioStatsFilterFactory : IHttpFilterFactory
{
    public string ConfigType => PluginConfig.Descriptor.FullName;

    public string Name => "envoy.filters.http.istio_stats";

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context) =>
        new Compiled(IstioStatsCompiler.Of(context).Compile(PluginConfig.From(message), context));

    private sealed class Compiled(IstioStatsSettings settings) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain)
        {
            var filter = new IstioStatsFilter(settings);
            chain.AddDecoderFilter(filter);
            chain.AddAccessLog(filter);
        }
    }
}
