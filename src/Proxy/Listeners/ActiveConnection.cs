using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>An established downstream connection in its listener's list.</summary>
internal sealed class ActiveConnection(ActiveListener listener, Connection connection, CompiledFilterChain chain, bool holdsGlobal)
    : IConnectionCallbacks
{
    public Connection Connection { get; } = connection;

    public CompiledFilterChain Chain { get; } = chain;

    /// <summary>Counts against the limit of all listeners.</summary>
    public bool HoldsGlobal { get; } = holdsGlobal;

    public LinkedListNode<ActiveConnection>? Node { get; set; }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        var info = Connection.StreamInfo;
        if (connectionEvent == ConnectionEvent.Connected)
        {
            info.DownstreamTls = Connection.Tls;
            info.DownstreamHandshakeComplete = info.DownstreamTls is null ? 0 : EventLoop.NowNanoseconds;
            return;
        }
        if (Node is null)
        {
            return;
        }
        // Also of a handshake that failed: whom it refused belongs into the record.
        info.DownstreamTls = Connection.Tls;
        info.DownstreamTransportFailureReason = Connection.TransportFailureReason;
        info.DownstreamLocalCloseReason = Connection.LocalCloseReason;
        info.DownstreamDetectedCloseType = Connection.DetectedCloseType;
        var node = Node;
        Node = null;
        listener.OnConnectionClosed(this, node);
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }
}
