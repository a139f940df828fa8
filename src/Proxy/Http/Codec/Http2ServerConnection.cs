using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>The server side of HTTP/2 on one connection (Envoy's Http2::ServerConnectionImpl).</summary>
public sealed class Http2ServerConnection : Http2Connection, IServerConnection
{
    private readonly IServerConnectionCallbacks _callbacks;
    private readonly Stack<Http2ServerStream> _spare = new();

    public Http2ServerConnection(
        Connection connection, IServerConnectionCallbacks callbacks, Http2Settings settings, CodecLimits limits, Http2Stats stats)
        : base(connection, settings, limits, stats, true) => _callbacks = callbacks;

    private protected override Http2Stream? OnHeadersOfNewStream(uint id)
    {
        if (id % 2 == 0)
        {
            return Abort<Http2Stream>("codec_error:invalid_stream_id");
        }
        if (ActiveStreams >= Settings.MaxConcurrentStreams)
        {
            if (SettingsAcknowledged)
            {
                return Abort<Http2Stream>("codec_error:too_many_concurrent_streams");
            }
            Stats.Inc(Http2Stats.Stat.StreamRefusedErrors);
            SendReset(id, Http2ErrorCode.RefusedStream);
            return null;
        }
        var stream = _spare.TryPop(out var spare) ? spare : new Http2ServerStream(this);
        stream.Start(id, PeerInitialWindow);
        Register(stream);
        stream.Decoder = _callbacks.NewStream(stream);
        return stream;
    }

    private protected override Http2BlockKind ExpectedBlock(Http2Stream stream) =>
        stream.SawHeaders ? Http2BlockKind.Trailers : Http2BlockKind.Request;

    private protected override bool TakesBody(Http2Stream stream, int status) => true;

    private protected override StreamResetReason MessagingErrorReason => StreamResetReason.LocalReset;

    private protected override void OnPeerGoAway(uint lastStream, bool isError) => _callbacks.OnGoAway(isError);

    private protected override void OnPeerMaxStreams(uint maxStreams)
    {
    }

    private protected override void Recycle(Http2Stream stream) => _spare.Push((Http2ServerStream)stream);

    private protected override void DecodeInterim(Http2Stream stream, HeaderMap headers) =>
        throw new InvalidOperationException("A request has no interim heads.");
}
