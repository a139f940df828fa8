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
        new HttpConnectionManagerFilter(new HttpConnectionManagerCompiler(Config.From(config), context).Compile());
}

/// <summary>The manager as a filter of a chain.</summary>
internal sealed class HttpConnectionManagerFilter(HttpConnectionManagerConfig config) : INetworkFilterConfig
{
    public HttpConnectionManagerConfig Config { get; } = config;

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new HttpConnectionManager(Config));
}
