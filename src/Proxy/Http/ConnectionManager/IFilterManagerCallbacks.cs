using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>What a filter manager asks of the stream it belongs to (Envoy's FilterManagerCallbacks): the codec's side of the chain.</summary>
internal interface IFilterManagerCallbacks
{
    Connection Connection { get; }

    EventLoop Loop { get; }

    StreamInfo StreamInfo { get; }

    HeaderMap? RequestHeaders { get; }

    HeaderMap? RequestTrailers { get; set; }

    HeaderMap? InformationalHeaders { get; set; }

    HeaderMap? ResponseHeaders { get; set; }

    HeaderMap? ResponseTrailers { get; set; }

    void Encode1xxHeaders(HeaderMap headers);

    void EncodeHeaders(HeaderMap headers, bool endStream);

    void EncodeData(ByteBuffer data, bool endStream);

    void EncodeTrailers(HeaderMap trailers);

    /// <summary>The last byte of the response went to the codec.</summary>
    void EndStream();

    void OnDecoderFilterAboveWriteBufferHighWatermark();

    void OnDecoderFilterBelowWriteBufferLowWatermark();

    void DisarmRequestTimeout();

    void ResetIdleTimer();

    void ResetStream(StreamResetReason reason);

    bool RecreateStream(HeaderMap? originalResponseHeaders);

    Route? Route { get; }

    Upstream.ICluster? ClusterInfo { get; }

    void ClearRouteCache();

    void SetRoute(Route? route);

    ISpan ActiveSpan { get; }

    ulong StreamId { get; }

    TransportSocketOptions? UpstreamTransportSocketOptions { get; }

    /// <summary>The chain is made late for answers given before routing, so that its access logs hear of them.</summary>
    void CreateFilterChain();

    LocalReply LocalReply { get; }

    /// <summary>The response operations of the route, for answers given in the upstream's place.</summary>
    void FinalizeRouteHeaders(HeaderMap headers);

    /// <summary>A local reply with this code is about to be sent.</summary>
    void OnLocalReply(int code);

    /// <summary>True when someone else answers in the place of this chain.</summary>
    bool AnswerElsewhere(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details) => false;

    /// <summary>What request headers may grow to by the hands of filters.</summary>
    CodecLimits RequestHeaderLimits => CodecLimits.Default;

    void OnRequestTooLarge();

    void OnResponseTooLarge();
}
