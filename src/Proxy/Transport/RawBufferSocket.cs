using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>Plaintext: bytes as they are.</summary>
internal sealed class RawBufferSocket : ITransportSocket
{
    private ITransportSocketCallbacks _callbacks = null!;
    private bool _shutdown;

    public string NextProtocol => "";

    public string FailureReason => "";

    public ITlsConnectionInfo? Tls => null;

    public bool CanFlushClose => true;

    public void SetCallbacks(ITransportSocketCallbacks callbacks) => _callbacks = callbacks;

    public void OnConnected() => _callbacks.RaiseEvent(ConnectionEvent.Connected);

    public IoResult DoRead(ByteBuffer buffer)
    {
        long total = 0;
        while (true)
        {
            var space = buffer.ReserveForRead();
            var count = _callbacks.Io.Read(space);
            if (count > 0)
            {
                buffer.Commit((int)count);
                total += count;
                if (_callbacks.ShouldDrainReadBuffer)
                {
                    _callbacks.SetTransportSocketIsReadable();
                    return new IoResult(total);
                }
                // A short read has emptied the kernel's buffer: the next edge tells of more, and a call is saved.
                if (count < space.Length)
                {
                    return new IoResult(total, MoreMayFollow: true);
                }
                continue;
            }
            buffer.ReleaseUnused();
            if (count == 0)
            {
                return new IoResult(total, EndStreamRead: true);
            }
            return count == -Constants.EAgain
                ? new IoResult(total)
                : new IoResult(total, Close: true, Reset: count == -Constants.EConnectionReset);
        }
    }

    public IoResult DoWrite(ByteBuffer buffer, bool endStream)
    {
        long total = 0;
        while (!buffer.IsEmpty)
        {
            var count = _callbacks.Io.Write(buffer);
            if (count < 0)
            {
                return count == -Constants.EAgain
                    ? new IoResult(total)
                    : new IoResult(total, Close: true, Reset: count == -Constants.EConnectionReset);
            }
            buffer.Drain(count);
            total += count;
        }
        if (endStream && !_shutdown)
        {
            _shutdown = true;
            _callbacks.Io.ShutdownWrite();
        }
        return new IoResult(total);
    }

    public void CloseSocket(ConnectionEvent reason)
    {
    }
}

/// <summary>Makes <see cref="RawBufferSocket"/>s, either side.</summary>
public sealed class RawBufferSocketFactory : IDownstreamTransportSocketFactory, IUpstreamTransportSocketFactory
{
    public static readonly RawBufferSocketFactory Instance = new();

    public bool ImplementsSecureTransport => false;

    public bool IsReady => true;

    public bool SupportsAlpn => false;

    public ITransportSocket Create() => new RawBufferSocket();

    public ITransportSocket Create(TransportSocketOptions? options, Upstream.Host host) => new RawBufferSocket();

    public TransportSocketOptions? SharingKey(TransportSocketOptions? options) => null;
}
