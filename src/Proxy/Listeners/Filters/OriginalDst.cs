using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.OriginalDst.V3.OriginalDst;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>
/// envoy.filters.listener.original_dst: restores where the client meant to go before a redirect (SO_ORIGINAL_DST, TPROXY),
/// or, on an internal listener, what the opener of the tunnel says (metadata, filter state).
/// </summary>
internal sealed class OriginalDst : IListenerFilterFactory, IListenerFilterConfig, IListenerFilter
{
    private const string MetadataNamespace = "envoy.filters.listener.original_dst";
    private const string LocalAddressKey = "envoy.filters.listener.original_dst.local_ip";
    private const string RemoteAddressKey = "envoy.filters.listener.original_dst.remote_ip";

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.original_dst";

    public int MaxReadBytes => 0;

    public IListenerFilterConfig Compile(Message config, FactoryContext context) => this;

    // Keeps no state of a connection: one instance serves all.
    public IListenerFilter Create() => this;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        if (callbacks.Info.LocalAddress is InternalEndPoint)
        {
            RestoreFromOpener(callbacks);
        }
        else if (callbacks.FileDescriptor >= 0 && callbacks.Info.LocalAddress is IPEndPoint local
            && SocketQueries.OriginalDestination(callbacks.FileDescriptor, local) is { } original)
        {
            callbacks.Info.RestoreLocalAddress(original);
        }
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer) => FilterStatus.Continue;

    public void OnClose()
    {
    }

    private static void RestoreFromOpener(IListenerFilterCallbacks callbacks)
    {
        var info = callbacks.StreamInfo;
        var local = (info.DynamicMetadata.Get(MetadataNamespace, "local") as MetadataValue.StringNode)?.Value
            ?? info.FilterState.Get(LocalAddressKey)?.SerializeAsString();
        if (local is not null && IPEndPoint.TryParse(local, out var address))
        {
            callbacks.Info.RestoreLocalAddress(address);
        }
        if (info.FilterState.Get(RemoteAddressKey)?.SerializeAsString() is { } remote && IPEndPoint.TryParse(remote, out var peer))
        {
            callbacks.Info.RemoteAddress = peer;
        }
    }
}
