using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Tcp.Metadataexchange.Config.MetadataExchange;

namespace MeshProxy.Proxy.Network.MetadataExchange;

/// <summary>envoy.filters.network.metadata_exchange (istio.metadata_exchange), of listeners and of clusters.</summary>
internal sealed class MetadataExchangeFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.metadata_exchange";

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new MetadataExchangeConfig(
            config.Protocol,
            Downstream: context.Listener is not null,
            context.Singletons.Get("istio.exchange", () => ExchangeHeader.Write(LocalWorkload.Of(context), context.Node.Id)),
            config.EnableDiscovery ? WorkloadDiscoveryHolder.Of(context.Singletons) : null,
            context.Scope.Scope("metadata_exchange").Block(MetadataExchangeStats.Layout));
    }
}

/// <summary>Compiled; shared by all connections.</summary>
/// <param name="Protocol">Only connections that negotiated this by ALPN carry metadata.</param>
/// <param name="Downstream">Of a listener: the peer is the client. Else of a cluster.</param>
/// <param name="Header">What is sent, the same on every connection.</param>
/// <param name="Discovery">Where peers are looked up that tell nothing; null for nowhere.</param>
internal sealed record MetadataExchangeConfig(
    string Protocol, bool Downstream, byte[] Header, IWorkloadDiscovery? Discovery, StatBlock Stats) : INetworkFilterConfig
{
    public void CreateFilter(Connection connection)
    {
        var filter = new MetadataExchangeFilter(this);
        connection.AddReadFilter(filter);
        connection.AddWriteFilter(filter);
    }
}
