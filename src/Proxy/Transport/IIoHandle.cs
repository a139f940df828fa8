namespace MeshProxy.Proxy.Transport;

/// <summary>
/// Where a connection's bytes come from and go to: a socket, or the in-memory twin. Results are byte counts, or a negative
/// errno. Seam between connection logic and the kernel (Envoy's IoHandle).
/// </summary>
public interface IIoHandle
{
    /// <summary>EAGAIN: nothing to read, or no room to write, for now.</summary>
    const int Again = 11;

    /// <summary>-1 in memory.</summary>
    int FileDescriptor { get; }

    /// <summary>Bytes read; 0 is the peer's end of stream; negative errno, -11 (EAGAIN) when there is nothing.</summary>
    nint Read(Span<byte> destination);

    /// <summary>Bytes taken; negative errno.</summary>
    nint Write(ReadOnlySpan<byte> source);

    /// <summary>Writes the buffer's segments in one call without draining it.</summary>
    nint Write(ByteBuffer source);

    /// <summary>Puts bytes already read (by listener filters) before what the next reads give.</summary>
    void PushBack(ByteBuffer received);

    void ShutdownWrite();

    /// <summary>Error pending on the socket (SO_ERROR), 0 if none.</summary>
    int TakeError();

    /// <summary>Bytes written that the peer has not acknowledged yet; 0 in memory.</summary>
    int Unacknowledged();

    void Close(bool reset);

    /// <summary>Begins to deliver events to <paramref name="handler"/> on <paramref name="loop"/>.</summary>
    void Attach(EventLoop loop, IIoEventHandler handler);

    /// <summary>Delivers events as if the descriptor had become ready.</summary>
    void Activate(IoEvents events);

    /// <summary>0 connected, EINPROGRESS (115) under way, else errno.</summary>
    int Connect();

    void SetNoDelay(bool enable);
}
