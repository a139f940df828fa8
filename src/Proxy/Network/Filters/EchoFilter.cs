using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.Echo.V3.Echo;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.echo: sends back what comes.</summary>
internal sealed class EchoFilterFactory : INetworkFilterFactory, INetworkFilterConfig
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.echo";

    public bool IsTerminal(Message config) => true;

    public INetworkFilterConfig Compile(Message config, FactoryContext context) => this;

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new EchoFilter());
}

/// <summary>At work on one connection.</summary>
internal sealed class EchoFilter : IReadFilter
{
    private IReadFilterCallbacks _callbacks = null!;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.HalfCloseEnabled = true;
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        _callbacks.Connection.Write(data, endStream);
        return FilterStatus.StopIteration;
    }
}
