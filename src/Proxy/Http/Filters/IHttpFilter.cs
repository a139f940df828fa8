using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>Outcome of a filter on headers (Envoy's FilterHeadersStatus, same meanings).</summary>
public enum FilterHeadersStatus
{
    Continue,

    /// <summary>Do not go on with headers; later data still reaches this filter.</summary>
    StopIteration,

    ContinueAndDontEndStream,

    /// <summary>Do not go on, buffer the body; beyond the buffer limit answer 413 (request) or 500 (response).</summary>
    StopAllIterationAndBuffer,

    /// <summary>As above with backpressure instead of an error.</summary>
    StopAllIterationAndWatermark,
}

public enum FilterDataStatus
{
    Continue,
    StopIterationAndBuffer,
    StopIterationAndWatermark,
    StopIterationNoBuffer,
}

public enum FilterTrailersStatus
{
    Continue,
    StopIteration,
}

/// <summary>What both kinds of filters share; OnDestroy is called exactly once, with the stream.</summary>
public interface IStreamFilterBase
{
    void OnDestroy();

    /// <summary>The stream is complete and about to be logged.</summary>
    void OnStreamComplete()
    {
    }

    /// <summary>A local reply is about to be sent; may be observed only.</summary>
    void OnLocalReply(int code, string details)
    {
    }
}

/// <summary>A filter on the request (Envoy's StreamDecoderFilter). One instance a stream.</summary>
public interface IStreamDecoderFilter : IStreamFilterBase
{
    void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks);

    FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream);

    FilterDataStatus DecodeData(ByteBuffer data, bool endStream);

    FilterTrailersStatus DecodeTrailers(HeaderMap trailers);

    void DecodeComplete()
    {
    }
}

/// <summary>A filter on the response.</summary>
public interface IStreamEncoderFilter : IStreamFilterBase
{
    void SetEncoderFilterCallbacks(IStreamEncoderFilterCallbacks callbacks);

    FilterHeadersStatus Encode1xxHeaders(HeaderMap headers) => FilterHeadersStatus.Continue;

    FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream);

    FilterDataStatus EncodeData(ByteBuffer data, bool endStream);

    FilterTrailersStatus EncodeTrailers(HeaderMap trailers);

    void EncodeComplete()
    {
    }
}

public interface IStreamFilterCallbacks
{
    Connection Connection { get; }

    EventLoop Loop { get; }

    StreamInfo StreamInfo { get; }

    ulong StreamId { get; }

    /// <summary>The route of the request, chosen at first use; null if none matches.</summary>
    Route? Route { get; }

    /// <summary>The cluster of the route; null if there is none or it is unknown.</summary>
    Upstream.ICluster? ClusterInfo { get; }

    /// <summary>The route will be chosen again at its next use, after a filter changed headers.</summary>
    void ClearRouteCache();

    /// <summary>The most specific per-route configuration of this filter (weighted cluster, route, virtual host, route table); null if none.</summary>
    T? MostSpecificPerFilterConfig<T>()
        where T : class;

    /// <summary>All per-route configurations of this filter from least to most specific.</summary>
    void TraversePerFilterConfig<T>(Action<T> visit)
        where T : class;

    void ResetStream(StreamResetReason reason = StreamResetReason.LocalReset);

    HeaderMap? RequestHeaders { get; }

    HeaderMap? RequestTrailers { get; }

    HeaderMap? ResponseHeaders { get; }

    HeaderMap? ResponseTrailers { get; }

    /// <summary>The active trace span; never null, does nothing when not sampled.</summary>
    Observability.Tracing.ISpan ActiveSpan { get; }

    /// <summary>The filter's name in the configuration, key of per-route configuration.</summary>
    string FilterConfigName { get; }
}

public interface IStreamDecoderFilterCallbacks : IStreamFilterCallbacks
{
    void ContinueDecoding();

    ByteBuffer? DecodingBuffer { get; }

    void AddDecodedData(ByteBuffer data, bool streaming);

    void InjectDecodedDataToFilterChain(ByteBuffer data, bool endStream);

    HeaderMap AddDecodedTrailers();

    /// <summary>
    /// Answers in the upstream's place; passes local_reply_config, the encoder filters and the log. For a gRPC request becomes
    /// a trailers-only response (http-semantics 17, 18).
    /// </summary>
    void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details);

    void Encode1xxHeaders(HeaderMap headers);

    void EncodeHeaders(HeaderMap headers, bool endStream, string details);

    void EncodeData(ByteBuffer data, bool endStream);

    void EncodeTrailers(HeaderMap trailers);

    /// <summary>Backpressure from this filter (the router) to the client.</summary>
    void OnDecoderFilterAboveWriteBufferHighWatermark();

    void OnDecoderFilterBelowWriteBufferLowWatermark();

    /// <summary>Tells the filter of backpressure of the client connection.</summary>
    void AddDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks);

    void RemoveDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks);

    uint DecoderBufferLimit { get; set; }

    /// <summary>Starts the request over with its (changed) headers: internal redirect. False when its body is gone.</summary>
    bool RecreateStream(HeaderMap? originalResponseHeaders);

    /// <summary>The endpoint to prefer (or, strict, to insist on), `ip:port`; of the stream, set by stateful_session, read by the router.</summary>
    (string Address, bool Strict)? UpstreamOverrideHost { get; set; }

    /// <summary>What the request's headers may grow to.</summary>
    CodecLimits RequestHeaderLimits => CodecLimits.Default;

    /// <summary>Replaces the route for the rest of the stream (Envoy's setRoute).</summary>
    void SetRoute(Route? route);

    /// <summary>Options for the connection to the endpoint, made from the downstream connection and filter state.</summary>
    TransportSocketOptions? UpstreamTransportSocketOptions { get; }
}

public interface IDownstreamWatermarkCallbacks
{
    void OnAboveWriteBufferHighWatermark();

    void OnBelowWriteBufferLowWatermark();
}

public interface IStreamEncoderFilterCallbacks : IStreamFilterCallbacks
{
    void ContinueEncoding();

    ByteBuffer? EncodingBuffer { get; }

    void AddEncodedData(ByteBuffer data, bool streaming);

    void InjectEncodedDataToFilterChain(ByteBuffer data, bool endStream);

    HeaderMap AddEncodedTrailers();

    void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details);

    void OnEncoderFilterAboveWriteBufferHighWatermark();

    void OnEncoderFilterBelowWriteBufferLowWatermark();

    uint EncoderBufferLimit { get; set; }
}

/// <summary>Adds a compiled filter to a stream's chain.</summary>
public interface IFilterChainBuilder
{
    void AddDecoderFilter(IStreamDecoderFilter filter);

    void AddEncoderFilter(IStreamEncoderFilter filter);

    /// <summary>One object that is both.</summary>
    void AddFilter<T>(T filter)
        where T : IStreamDecoderFilter, IStreamEncoderFilter;

    /// <summary>Called with the stream's final record before the access logs (metrics filters).</summary>
    void AddAccessLog(IAccessLog log);

    EventLoop Loop { get; }
}

/// <summary>A filter's compiled configuration: immutable, shared by loops, makes an instance a stream.</summary>
public interface IHttpFilterConfig
{
    void CreateFilter(IFilterChainBuilder chain);
}
