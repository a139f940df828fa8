using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// One end of an in-memory stream on one loop: internal listeners, and tests without sockets. Behaves as a socket with a
/// bounded kernel buffer: EAGAIN when the peer's buffer is full, end of stream, reset.
/// </summary>
internal sealed class MemoryIoHandle : IIoHandle
{
    /// <summary>Envoy's internal listeners buffer 1 MiB (bootstrap internal_listener buffer_size_kb, default 1024).</summary>
    private readonly int _capacity;

    private readonly ByteBuffer _incoming = new();
    private MemoryIoHandle? _peer;
    private EventLoop? _loop;
    private IoRegistration? _registration;
    private bool _peerEnded;
    private bool _peerReset;
    private bool _writerWaits;

    private MemoryIoHandle(int capacity) => _capacity = capacity;

    public int FileDescriptor => -1;

    public static (MemoryIoHandle Client, MemoryIoHandle Server) CreatePair(int capacity = 1024 * 1024)
    {
        var client = new MemoryIoHandle(capacity);
        var server = new MemoryIoHandle(capacity) { _peer = client };
        client._peer = server;
        return (client, server);
    }

    public nint Read(Span<byte> destination)
    {
        if (_incoming.IsEmpty)
        {
            return _peerReset ? -Constants.EConnectionReset : _peerEnded ? 0 : -Constants.EAgain;
        }
        var count = (int)Math.Min(destination.Length, _incoming.Length);
        _incoming.CopyTo(destination[..count]);
        _incoming.Drain(count);
        if (_peer is { _writerWaits: true } peer)
        {
            peer._writerWaits = false;
            peer.Activate(IoEvents.Write);
        }
        return count;
    }

    public nint Write(ReadOnlySpan<byte> source)
    {
        if (_peer is null)
        {
            return -Constants.EPipe;
        }
        var room = _capacity - _peer._incoming.Length;
        if (room <= 0)
        {
            _writerWaits = true;
            return -Constants.EAgain;
        }
        var count = (int)Math.Min(room, source.Length);
        _peer._incoming.Append(source[..count]);
        _peer.Activate(IoEvents.Read);
        return count;
    }

    public nint Write(ByteBuffer source) => Write(source.FirstSpan);

    public void PushBack(ByteBuffer received)
    {
        received.MoveFrom(_incoming);
        _incoming.MoveFrom(received);
    }

    public void ShutdownWrite()
    {
        if (_peer is not null)
        {
            _peer._peerEnded = true;
            // As EPOLLRDHUP: a reader that took the last bytes by a short read must look for the end as well.
            _peer.Activate(IoEvents.Read | IoEvents.Closed);
        }
    }

    public int TakeError() => 0;

    public int Unacknowledged() => 0;

    public void Close(bool reset)
    {
        if (_peer is { } peer)
        {
            peer._peerEnded = true;
            peer._peerReset |= reset;
            peer._peer = null;
            _peer = null;
            peer.Activate(IoEvents.Read | IoEvents.Closed);
        }
        if (_registration is not null)
        {
            _loop!.Unregister(_registration);
            _registration = null;
        }
        _incoming.Clear();
    }

    public void Attach(EventLoop loop, IIoEventHandler handler)
    {
        _loop = loop;
        if (_registration is null)
        {
            _registration = loop.RegisterWithoutDescriptor(handler);
        }
        else
        {
            _registration.Handler = handler;
        }
        Activate(_incoming.IsEmpty && !_peerEnded ? IoEvents.Write : IoEvents.Read | IoEvents.Write);
    }

    public void Activate(IoEvents events)
    {
        if (_registration is not null)
        {
            _loop!.Activate(_registration, events);
        }
    }

    public int Connect() => _peer is null ? 111 : 0;

    public void SetNoDelay(bool enable)
    {
    }
}
