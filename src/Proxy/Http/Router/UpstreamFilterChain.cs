using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// The HTTP filters of a cluster (or of the router) around one attempt: the request passes them before it goes to the connection
/// pool, the response before the router hears of it (Envoy's UpstreamFilterManager).
/// </summary>
internal sealed class UpstreamFilterChain : IFilterManagerCallbacks, IResponseDecoder
{
    private readonly UpstreamRequest _request;
    private readonly RouterFilter _parent;

    public UpstreamFilterChain(UpstreamRequest request, RouterFilter parent, IReadOnlyList<HttpFilterEntry> entries)
    {
        _request = request;
        _parent = parent;
        Filters = new ConnectionManager.FilterManager(this) { BufferLimit = parent.Callbacks.DecoderBufferLimit };
        var route = parent.Callbacks.Route as RouteEntry;
        foreach (var entry in entries)
        {
            if (route?.FilterDisabled(entry.Name) ?? entry.Disabled)
            {
                continue;
            }
            Filters.BeginFilter(entry.Name);
            entry.Config.CreateFilter(Filters);
        }
        Filters.BeginFilter("");
        Filters.AddDecoderFilter(new Tail(request));
        Filters.ChainComplete();
    }

    public ConnectionManager.FilterManager Filters { get; }

    public Connection Connection => _parent.Callbacks.Connection;

    public EventLoop Loop => _parent.Callbacks.Loop;

    public StreamInfo StreamInfo => _parent.Callbacks.StreamInfo;

    public HeaderMap? RequestHeaders { get; private set; }

    public HeaderMap? RequestTrailers { get; set; }

    public HeaderMap? InformationalHeaders { get; set; }

    public HeaderMap? ResponseHeaders { get; set; }

    public HeaderMap? ResponseTrailers { get; set; }

    public Route? Route => _parent.Callbacks.Route;

    public ICluster? ClusterInfo => _parent.Cluster;

    public ISpan ActiveSpan => _request.Span;

    public ulong StreamId => _parent.Callbacks.StreamId;

    public TransportSocketOptions? UpstreamTransportSocketOptions => _parent.Callbacks.UpstreamTransportSocketOptions;

    public LocalReply LocalReply => LocalReply.Default;

    /// <summary>The request from the router.</summary>
    public void SendHeaders(HeaderMap headers, bool endStream)
    {
        RequestHeaders = headers;
        Filters.DecodeComplete = endStream;
        Filters.DecodeHeaders(null, headers, endStream);
    }

    public void SendData(ByteBuffer data, bool endStream)
    {
        Filters.DecodeComplete = endStream;
        Filters.DecodeData(null, data, endStream, startFromCurrent: true);
    }

    public void SendTrailers(HeaderMap trailers)
    {
        RequestTrailers = trailers;
        Filters.DecodeComplete = true;
        Filters.DecodeTrailers(null, trailers);
    }

    /// <summary>The attempt is over: nothing passes any more. Who is calling just now may still hold what filters buffered.</summary>
    public void End()
    {
        if (!Filters.SawDownstreamReset)
        {
            Filters.SawDownstreamReset = true;
            Filters.EncodeEnded = true;
            Loop.Defer(static chain => ((UpstreamFilterChain)chain!).Filters.DestroyFilters(), this);
        }
    }

    void IResponseDecoder.Decode1xxHeaders(HeaderMap headers)
    {
        InformationalHeaders = headers;
        Filters.Encode1xxHeaders(null, headers);
    }

    void IResponseDecoder.DecodeHeaders(HeaderMap headers, bool endStream)
    {
        ResponseHeaders = headers;
        Filters.EncodeHeaders(null, headers, endStream);
    }

    void IResponseDecoder.DecodeData(ByteBuffer data, bool endStream) => Filters.EncodeData(null, data, endStream, startFromCurrent: true);

    void IResponseDecoder.DecodeTrailers(HeaderMap trailers)
    {
        ResponseTrailers = trailers;
        Filters.EncodeTrailers(null, trailers);
    }

    void IFilterManagerCallbacks.Encode1xxHeaders(HeaderMap headers) => _request.Decode1xxHeaders(headers);

    void IFilterManagerCallbacks.EncodeHeaders(HeaderMap headers, bool endStream) => _request.DecodeHeaders(headers, endStream);

    void IFilterManagerCallbacks.EncodeData(ByteBuffer data, bool endStream) => _request.DecodeData(data, endStream);

    void IFilterManagerCallbacks.EncodeTrailers(HeaderMap trailers) => _request.DecodeTrailers(trailers);

    void IFilterManagerCallbacks.EndStream()
    {
    }

    void IFilterManagerCallbacks.OnDecoderFilterAboveWriteBufferHighWatermark() =>
        _parent.Callbacks.OnDecoderFilterAboveWriteBufferHighWatermark();

    void IFilterManagerCallbacks.OnDecoderFilterBelowWriteBufferLowWatermark() =>
        _parent.Callbacks.OnDecoderFilterBelowWriteBufferLowWatermark();

    void IFilterManagerCallbacks.DisarmRequestTimeout()
    {
    }

    void IFilterManagerCallbacks.ResetIdleTimer()
    {
    }

    // A filter's decision is about the whole exchange, not for the router to retry.
    void IFilterManagerCallbacks.ResetStream(StreamResetReason reason) => _parent.Callbacks.ResetStream(reason);

    bool IFilterManagerCallbacks.RecreateStream(HeaderMap? originalResponseHeaders) => false;

    void IFilterManagerCallbacks.ClearRouteCache()
    {
    }

    void IFilterManagerCallbacks.SetRoute(Route? route)
    {
    }

    void IFilterManagerCallbacks.CreateFilterChain()
    {
    }

    void IFilterManagerCallbacks.FinalizeRouteHeaders(HeaderMap headers)
    {
    }

    void IFilterManagerCallbacks.OnLocalReply(int code)
    {
    }

    void IFilterManagerCallbacks.OnRequestTooLarge()
    {
    }

    void IFilterManagerCallbacks.OnResponseTooLarge()
    {
    }

    bool IFilterManagerCallbacks.AnswerElsewhere(
        int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details)
    {
        _parent.Callbacks.SendLocalReply(code, body, modifyHeaders, grpcStatus, details);
        return true;
    }

    /// <summary>Behind the last filter: the connection pool.</summary>
    private sealed class Tail(UpstreamRequest request) : IStreamDecoderFilter
    {
        public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks)
        {
        }

        public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
        {
            request.SendFilteredHeaders(endStream);
            return FilterHeadersStatus.StopIteration;
        }

        public FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
        {
            request.SendFilteredData(data, endStream);
            return FilterDataStatus.StopIterationNoBuffer;
        }

        public FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
        {
            request.SendFilteredTrailers(trailers);
            return FilterTrailersStatus.StopIteration;
        }

        public void OnDestroy()
        {
        }
    }
}
