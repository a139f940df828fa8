namespace MeshProxy.Proxy.Transport;

/// <summary>Hears of the life of a connection; called on the connection's loop only.</summary>
public interface IConnectionCallbacks
{
    void OnEvent(ConnectionEvent connectionEvent);

    /// <summary>More than the write limit is waiting: stop producing.</summary>
    void OnAboveWriteBufferHighWatermark();

    /// <summary>Half of the write limit or less is waiting again: produce.</summary>
    void OnBelowWriteBufferLowWatermark();
}
