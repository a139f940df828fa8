using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Stands where a secret has not come: moves no byte, closes at the first try (Envoy's NotReadySslSocket).</summary>
internal sealed class NotReadyTlsSocket : ITransportSocket
{
    public string NextProtocol => "";

    public string FailureReason => "TLS error: Secret is not supplied by SDS";

    public ITlsConnectionInfo? Tls => null;

    public bool CanFlushClose => false;

    public void SetCallbacks(ITransportSocketCallbacks callbacks)
    {
    }

    public void OnConnected()
    {
    }

    public IoResult DoRead(ByteBuffer buffer) => new(0, Close: true);

    public IoResult DoWrite(ByteBuffer buffer, bool endStream) => new(0, Close: true);

    public void CloseSocket(ConnectionEvent reason)
    {
    }
}
