using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.SniCluster.V3.SniCluster;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.sni_cluster: the SNI names the cluster of tcp_proxy.</summary>
internal sealed class SniClusterFilterFactory : INetworkFilterFactory, INetworkFilterConfig
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.sni_cluster";

    public INetworkFilterConfig Compile(Message config, FactoryContext context) => this;

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new SniClusterFilter());
}

/// <summary>At work on one connection.</summary>
internal sealed class SniClusterFilter : IReadFilter
{
    private IReadFilterCallbacks _callbacks = null!;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterStatus OnNewConnection()
    {
        var name = _callbacks.Connection.Info.RequestedServerName;
        if (name.Length > 0)
        {
            _callbacks.StreamInfo.FilterState.Set(
                FilterStateKeys.TcpProxyCluster, new StringFilterState(name), FilterStateLifeSpan.Connection);
        }
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => FilterStatus.Continue;
}
