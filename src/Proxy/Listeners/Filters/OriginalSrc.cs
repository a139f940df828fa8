using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.OriginalSrc.V3.OriginalSrc;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.original_src: upstream connections come from the client's own address (TPROXY).</summary>
internal sealed class OriginalSrcFactory : IListenerFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.original_src";

    public IListenerFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new OriginalSrc(config.BindPort, config.Mark);
    }
}

/// <summary>Keeps no state of a connection: one instance serves all.</summary>
/// <param name="bindPort">The client's port is taken too.</param>
/// <param name="mark">SO_MARK of upstream sockets, by which routing brings the answers back; 0 is none.</param>
internal sealed class OriginalSrc(bool bindPort, uint mark) : IListenerFilterConfig, IListenerFilter
{
    public int MaxReadBytes => 0;

    public IListenerFilter Create() => this;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        if (callbacks.Info.RemoteAddress is IPEndPoint client)
        {
            callbacks.Info.UpstreamSource = new UpstreamSource(bindPort ? client : new IPEndPoint(client.Address, 0), mark);
        }
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer) => FilterStatus.Continue;

    public void OnClose()
    {
    }
}
