using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>The client side of HTTP/2 on one connection (Envoy's Http2::ClientConnectionImpl).</summary>
public sealed class Http2ClientConnection : Http2Connection, IClientConnection
{
    private readonly IClientConnectionCallbacks _callbacks;
    private readonly Stack<Http2ClientStream> _spare = new();
    private uint _nextStream = 1;

    public Http2ClientConnection(
        Connection connection, IClientConnectionCallbacks callbacks, Http2Settings settings, CodecLimits limits, Http2Stats stats)
        : base(connection, settings, limits, stats, false) => _callbacks = callbacks;

    public IRequestEncoder NewStream(IResponseDecoder decoder)
    {
        var stream = _spare.TryPop(out var spare) ? spare : new Http2ClientStream(this);
        stream.Start(decoder, PeerInitialWindow);
        return stream;
    }

    /// <summary>Numbers the stream; streams must begin in the order of their numbers.</summary>
    internal void Open(Http2ClientStream stream)
    {
        stream.Assign(_nextStream, PeerInitialWindow);
        _nextStream += 2;
        Register(stream);
        OnActivity();
    }

    private protected override Http2Stream? OnHeadersOfNewStream(uint id) =>
        Abort<Http2Stream>("codec_error:headers_on_an_idle_stream");

    private protected override Http2BlockKind ExpectedBlock(Http2Stream stream) =>
        stream.SawHeaders ? Http2BlockKind.Trailers : Http2BlockKind.Response;

    private protected override bool TakesBody(Http2Stream stream, int status) =>
        !((Http2ClientStream)stream).IsHead && status != 304;

    private protected override StreamResetReason MessagingErrorReason => StreamResetReason.ProtocolError;

    private protected override void OnPeerGoAway(uint lastStream, bool isError)
    {
        // First the owner: it must not choose this connection again for what is refused now.
        _callbacks.OnGoAway(isError);
        ResetAbove(lastStream);
    }

    private protected override void OnPeerMaxStreams(uint maxStreams) => _callbacks.OnMaxStreamsChanged(maxStreams);

    private protected override void Recycle(Http2Stream stream) => _spare.Push((Http2ClientStream)stream);

    private protected override void DecodeInterim(Http2Stream stream, HeaderMap headers) =>
        ((Http2ClientStream)stream).Decoder!.Decode1xxHeaders(headers);
}
