namespace MeshProxy.Proxy.Transport;

/// <summary>What happened to a connection; each connection ends with exactly one of the two closes.</summary>
public enum ConnectionEvent
{
    /// <summary>The connection is usable: TCP and, where there is one, the TLS handshake are done.</summary>
    Connected,
    RemoteClose,
    LocalClose,
}
