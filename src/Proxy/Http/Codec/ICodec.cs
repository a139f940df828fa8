using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Why a stream was reset (Envoy's StreamResetReason).</summary>
public enum StreamResetReason
{
    LocalReset,
    LocalRefusedStreamReset,
    RemoteReset,
    RemoteRefusedStreamReset,
    ConnectionTermination,
    LocalConnectionFailure,
    RemoteConnectionFailure,
    ConnectionTimeout,
    Overflow,
    ConnectError,
    ProtocolError,
    OverloadManager,
    Http1PrematureUpstreamHalfClose,
}

/// <summary>Hears of resets and of backpressure of one stream.</summary>
public interface IStreamCallbacks
{
    void OnResetStream(StreamResetReason reason, string transportFailureReason);

    void OnAboveWriteBufferHighWatermark();

    void OnBelowWriteBufferLowWatermark();

    /// <summary>The outgoing message was written to its end.</summary>
    void OnCodecEncodeComplete()
    {
    }
}

/// <summary>One HTTP stream of a codec, either side.</summary>
public interface IHttpStream
{
    void AddCallbacks(IStreamCallbacks callbacks);

    void RemoveCallbacks(IStreamCallbacks callbacks);

    /// <summary>
    /// Ends the stream abruptly and tells the callbacks synchronously. HTTP/2 sends RST_STREAM; an HTTP/1 connection takes
    /// nothing more and its owner closes it, with the flush that fits the case.
    /// </summary>
    void ResetStream(StreamResetReason reason);

    /// <summary>Counted. Stops delivering body: the flow-control window (HTTP/2) or the socket (HTTP/1) pushes back.</summary>
    void ReadDisable(bool disable);

    uint BufferLimit { get; }

    /// <summary>`http1.codec_error` style details of a failure; empty if none.</summary>
    string ResponseDetails { get; }

    Connection Connection { get; }

    StreamByteCounts Bytes { get; }

    /// <summary>Fires a flush time-out when the peer takes no bytes (Envoy: stream flush timeout); zero is none.</summary>
    void SetFlushTimeout(TimeSpan timeout);
}

/// <summary>Wire and header byte counts of a stream; counts anew once the stream is reused for a later exchange.</summary>
public sealed class StreamByteCounts
{
    public long WireBytesSent { get; set; }

    public long WireBytesReceived { get; set; }

    public long HeaderBytesSent { get; set; }

    public long HeaderBytesReceived { get; set; }

    internal void Clear() => WireBytesSent = WireBytesReceived = HeaderBytesSent = HeaderBytesReceived = 0;
}

/// <summary>Writes a message's parts. The header maps stay owned by the caller; buffers are drained.</summary>
public interface IStreamEncoder
{
    IHttpStream Stream { get; }

    void EncodeData(ByteBuffer data, bool endStream);

    void EncodeTrailers(HeaderMap trailers);
}

public interface IResponseEncoder : IStreamEncoder
{
    void Encode1xxHeaders(HeaderMap headers);

    void EncodeHeaders(HeaderMap headers, bool endStream);

    /// <summary>HTTP/2: a malformed message resets the stream instead of ending the connection.</summary>
    bool StreamErrorOnInvalidHttpMessage { get; }
}

public interface IRequestEncoder : IStreamEncoder
{
    /// <summary>Returns an error text when required headers are missing (no path or method), else null; nothing was written then.</summary>
    string? EncodeHeaders(HeaderMap headers, bool endStream);

    void EnableTcpTunneling();
}

/// <summary>Takes a request from a server codec. Header maps given are owned by the receiver from then on.</summary>
public interface IRequestDecoder
{
    void DecodeHeaders(HeaderMap headers, bool endStream);

    /// <summary>The receiver drains what it takes; what it leaves is lost.</summary>
    void DecodeData(ByteBuffer data, bool endStream);

    void DecodeTrailers(HeaderMap trailers);

    /// <summary>The codec refuses the message and asks for Envoy's answer (400, 431, 426 …) in the stream's place.</summary>
    void SendLocalReply(int code, string body, string details, bool isGrpc = false);

    Observability.StreamInfo StreamInfo { get; }
}

/// <summary>Takes a response from a client codec.</summary>
public interface IResponseDecoder
{
    void Decode1xxHeaders(HeaderMap headers);

    void DecodeHeaders(HeaderMap headers, bool endStream);

    void DecodeData(ByteBuffer data, bool endStream);

    void DecodeTrailers(HeaderMap trailers);
}

/// <summary>A codec at work on one connection.</summary>
public interface IHttpConnection
{
    HttpProtocol Protocol { get; }

    /// <summary>
    /// Feeds received bytes; drains what it consumed. Null when all is well; otherwise the reason why the connection must be
    /// closed (protocol error, flood), with the answer already sent where the protocol has one. An HTTP/1 server stops
    /// behind each request: dispatch again once its stream has ended. An HTTP/1 client is dispatched an empty buffer when
    /// the peer closed.
    /// </summary>
    CodecError? Dispatch(ByteBuffer data);

    /// <summary>HTTP/2 GOAWAY; nothing in HTTP/1.</summary>
    void GoAway();

    /// <summary>HTTP/2: GOAWAY with the largest stream id, the first of a graceful pair.</summary>
    void ShutdownNotice();

    /// <summary>Something must still be written before the connection may close.</summary>
    bool WantsToWrite { get; }

    void OnUnderlyingConnectionAboveWriteBufferHighWatermark();

    void OnUnderlyingConnectionBelowWriteBufferLowWatermark();
}

/// <param name="Kind">What class of error, for stats and flags.</param>
/// <param name="Details">`%RESPONSE_CODE_DETAILS%` text, e.g. `http1.codec_error`.</param>
/// <param name="PrematureStatus">Status of the answer nobody asked for (<see cref="CodecErrorKind.PrematureResponse"/>): a 408 is no fault.</param>
public sealed record CodecError(CodecErrorKind Kind, string Details, int PrematureStatus = 0);

public enum CodecErrorKind
{
    Protocol,
    PrematureResponse,
    BufferFlood,
    InboundFramesWithEmptyPayload,

    /// <summary>HTTP/2 GOAWAY gracefully received or HTTP/1 upgrade took over: not an error for stats.</summary>
    GracefulClose,
}

/// <summary>The server side of a codec tells of new streams and GOAWAY.</summary>
public interface IServerConnectionCallbacks
{
    /// <summary>A request begins; the encoder is where its response goes.</summary>
    IRequestDecoder NewStream(IResponseEncoder encoder);

    void OnGoAway(bool isError);
}

public interface IClientConnectionCallbacks
{
    void OnGoAway(bool isError);

    /// <summary>HTTP/2 MAX_CONCURRENT_STREAMS of the peer changed.</summary>
    void OnMaxStreamsChanged(uint maxStreams);
}

public interface IServerConnection : IHttpConnection;

public interface IClientConnection : IHttpConnection
{
    IRequestEncoder NewStream(IResponseDecoder decoder);
}
