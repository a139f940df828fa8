namespace MeshProxy.Proxy.Transport;

public enum ConnectionState
{
    Open,

    /// <summary>Closed by us, waiting for bytes to flush or for the peer's close.</summary>
    Closing,
    Closed,
}
