using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>An established downstream connection in its listener's list.</summary>
internal sealed class ActiveConnection(ActiveListener listener, Connection connection, CompiledFilterChain chain) : IConnectionCallbacks
{
    public Connection Connection { get; } = connection;

    public CompiledFilterChain Chain { get; } = chain;

    public LinkedListNode<ActiveConnection>? Node { get; set; }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected || Node is null)
        {
            return;
        }
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
