using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>envoy.filters.network.http_connection_manager.</summary>
internal sealed class HttpConnectionManagerFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.http_connection_manager";

    public bool IsTerminal(Message config) => true;

    public INetworkFilterConfig Compile(Message config, FactoryContext context) =>
        new Chain(new HttpConnectionManagerCompiler(Config.From(config), context).Compile());

    private sealed class Chain(HttpConnectionManagerConfig config) : INetworkFilterConfig
    {
        public void CreateFilter(Connection connection) => connection.AddReadFilter(new HttpConnectionManager(config));
    }
}
