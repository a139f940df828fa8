using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.DirectResponse.V3.Config;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.direct_response: sends a fixed text to whoever connects, and closes.</summary>
internal sealed class DirectResponseFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.direct_response";

    public bool IsTerminal(Message config) => true;

    public INetworkFilterConfig Compile(Message config, FactoryContext context) =>
        new DirectResponseFilterConfig(Config.From(config).Response is { } response
            ? DataSource.Read(response, uint.MaxValue, "direct_response.response")
            : []);
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record DirectResponseFilterConfig(byte[] Response) : INetworkFilterConfig
{
    public void CreateFilter(Connection connection) => connection.AddReadFilter(new DirectResponseFilter(this));
}

/// <summary>At work on one connection.</summary>
internal sealed class DirectResponseFilter(DirectResponseFilterConfig config) : IReadFilter
{
    private IReadFilterCallbacks _callbacks = null!;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterStatus OnNewConnection()
    {
        var connection = _callbacks.Connection;
        if (config.Response.Length > 0)
        {
            var response = new ByteBuffer();
            response.Append(config.Response);
            connection.Write(response, true);
        }
        connection.StreamInfo.ResponseCodeDetails = "direct_response";
        connection.Close(ConnectionCloseType.FlushWrite, "direct_response");
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        data.Clear();
        return FilterStatus.StopIteration;
    }
}
