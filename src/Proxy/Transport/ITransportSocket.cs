namespace MeshProxy.Proxy.Transport;

/// <summary>
/// The layer between a connection's buffers and its file descriptor: plaintext, TLS, or a wrapper (PROXY protocol header,
/// internal upstream). One instance a connection (Envoy's Network::TransportSocket).
/// </summary>
public interface ITransportSocket
{
    void SetCallbacks(ITransportSocketCallbacks callbacks);

    string NextProtocol { get; }

    string FailureReason { get; }

    ITlsConnectionInfo? Tls { get; }

    /// <summary>False while a flush would never end (handshake not done).</summary>
    bool CanFlushClose { get; }

    /// <summary>TCP is connected; plaintext raises Connected now, TLS begins its handshake.</summary>
    void OnConnected();

    /// <summary>Reads what is there into <paramref name="buffer"/>, at most up to the connection's read limit.</summary>
    IoResult DoRead(ByteBuffer buffer);

    /// <summary>Writes and drains as much of <paramref name="buffer"/> as the socket takes; sends the end of stream after the last byte when asked.</summary>
    IoResult DoWrite(ByteBuffer buffer, bool endStream);

    void CloseSocket(ConnectionEvent reason);
}

/// <summary>What a transport socket may ask of its connection.</summary>
public interface ITransportSocketCallbacks
{
    Connection Connection { get; }

    /// <summary>The connection's bytes below this layer.</summary>
    IIoHandle Io { get; }

    /// <summary>True when the read buffer reached its limit, so that other connections get their turn.</summary>
    bool ShouldDrainReadBuffer { get; }

    /// <summary>Reads again in this loop turn although epoll will not signal (decrypted bytes are buffered inside).</summary>
    void SetTransportSocketIsReadable();

    void RaiseEvent(ConnectionEvent connectionEvent);

    void FlushWriteBuffer();
}

/// <summary>Outcome of one read or write.</summary>
/// <param name="BytesProcessed">Bytes moved.</param>
/// <param name="EndStreamRead">The peer ended its side.</param>
/// <param name="Close">The connection is broken: close it. <paramref name="Reset"/> tells whether by RST.</param>
/// <param name="MoreMayFollow">The read ended without EAGAIN being seen; nothing is left for now.</param>
public readonly record struct IoResult(
    long BytesProcessed, bool EndStreamRead = false, bool Close = false, bool Reset = false, bool MoreMayFollow = false);
