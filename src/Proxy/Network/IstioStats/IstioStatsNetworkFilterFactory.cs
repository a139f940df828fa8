using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Istio.Metrics;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Stats;

namespace MeshProxy.Proxy.Network.IstioStats;

/// <summary>istio.stats on connections.</summary>
internal sealed class IstioStatsNetworkFilterFactory : INetworkFilterFactory
{
    public string ConfigType => PluginConfig.Descriptor.FullName;

    public string Name => "envoy.filters.network.istio_stats";

    public INetworkFilterConfig Compile(Message message, FactoryContext context) =>
        new Compiled(IstioStatsCompiler.Of(context).Compile(PluginConfig.From(message), context));

    private sealed class Compiled(IstioStatsSettings settings) : INetworkFilterConfig
    {
        public void CreateFilter(Connection connection) => connection.AddReadFilter(new IstioStatsNetworkFilter(settings));
    }
}
