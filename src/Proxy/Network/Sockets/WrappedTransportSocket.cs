using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network.Sockets;

/// <summary>A transport socket around another one, which does the work.</summary>
internal abstract class WrappedTransportSocket(ITransportSocket inner) : ITransportSocket
{
    protected ITransportSocketCallbacks Callbacks { get; private set; } = null!;

    public ITransportSocket Inner { get; } = inner;

    public string NextProtocol => Inner.NextProtocol;

    public string FailureReason => Inner.FailureReason;

    public ITlsConnectionInfo? Tls => Inner.Tls;

    public virtual bool CanFlushClose => Inner.CanFlushClose;

    public void SetCallbacks(ITransportSocketCallbacks callbacks)
    {
        Callbacks = callbacks;
        Inner.SetCallbacks(callbacks);
    }

    public virtual void OnConnected() => Inner.OnConnected();

    public virtual IoResult DoRead(ByteBuffer buffer) => Inner.DoRead(buffer);

    public virtual IoResult DoWrite(ByteBuffer buffer, bool endStream) => Inner.DoWrite(buffer, endStream);

    public void CloseSocket(ConnectionEvent reason) => Inner.CloseSocket(reason);
}
