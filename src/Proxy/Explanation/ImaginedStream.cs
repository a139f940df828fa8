using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Explanation;

/// <summary>
/// The stream of a request that exists as headers alone. Filters that decide on headers are run on it as they are on real
/// streams; an answer they give is noted instead of sent.
/// </summary>
internal sealed class ImaginedStream(
    ImaginedConnection connection, HttpConnectionManagerConfig config, HeaderMap headers, StreamInfo info)
    : IStreamDecoderFilterCallbacks, IFilterChainBuilder
{
    private readonly List<IStreamDecoderFilter> _filters = [];
    private Route? _route;
    private bool _routeKnown;

    /// <summary>The answer a filter gave; null while none did.</summary>
    public (int Code, string Details)? Reply { get; private set; }

    /// <summary>A filter changed what routes look at, so the route was chosen again.</summary>
    public bool RouteCleared { get; private set; }

    public string FilterConfigName { get; private set; } = "";

    public Connection Connection => connection;

    public EventLoop Loop => connection.Loop;

    public StreamInfo StreamInfo => info;

    public ulong StreamId => info.StreamId;

    public Route? Route
    {
        get
        {
            if (!_routeKnown)
            {
                _routeKnown = true;
                _route = config.Routes.Table(headers, info)?.Route(headers, info, info.StreamId);
                info.Route = _route;
            }
            return _route;
        }
    }

    public ICluster? ClusterInfo => Route?.ClusterName is { } name ? config.Clusters.Get(name) : null;

    public HeaderMap? RequestHeaders => headers;

    public HeaderMap? RequestTrailers => null;

    public HeaderMap? ResponseHeaders => null;

    public HeaderMap? ResponseTrailers => null;

    public ISpan ActiveSpan => NullSpan.Instance;

    public ByteBuffer? DecodingBuffer => null;

    public uint DecoderBufferLimit { get; set; } = uint.MaxValue;

    public (string Address, bool Strict)? UpstreamOverrideHost { get; set; }

    public TransportSocketOptions? UpstreamTransportSocketOptions => null;

    /// <summary>Runs one filter on the headers; false when it neither answered nor let the request pass.</summary>
    public bool Run(HttpFilterEntry filter)
    {
        FilterConfigName = filter.Name;
        _filters.Clear();
        filter.Config.CreateFilter(this);
        foreach (var one in _filters)
        {
            one.SetDecoderFilterCallbacks(this);
            if (one.DecodeHeaders(headers, endStream: true) != FilterHeadersStatus.Continue || Reply is not null)
            {
                return Reply is not null;
            }
        }
        return true;
    }

    public void AddDecoderFilter(IStreamDecoderFilter filter) => _filters.Add(filter);

    public void AddEncoderFilter(IStreamEncoderFilter filter)
    {
    }

    public void AddFilter<T>(T filter)
        where T : IStreamDecoderFilter, IStreamEncoderFilter => _filters.Add(filter);

    public void AddAccessLog(IAccessLog log)
    {
    }

    public void ClearRouteCache()
    {
        _routeKnown = false;
        RouteCleared = true;
    }

    public void SetRoute(Route? route)
    {
        _route = route;
        _routeKnown = true;
        RouteCleared = true;
    }

    public T? MostSpecificPerFilterConfig<T>()
        where T : class => Route?.MostSpecificPerFilterConfig(FilterConfigName) as T;

    public void TraversePerFilterConfig<T>(Action<T> visit)
        where T : class => Route?.TraversePerFilterConfig(FilterConfigName, found =>
        {
            if (found is T typed)
            {
                visit(typed);
            }
        });

    public void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details) =>
        Reply ??= (code, details);

    public void EncodeHeaders(HeaderMap headers, bool endStream, string details) =>
        Reply ??= (int.TryParse(headers.GetString(KnownHeader.Status), out var code) ? code : 0, details);

    public void ResetStream(StreamResetReason reason = StreamResetReason.LocalReset) => Reply ??= (0, "reset");

    public void ContinueDecoding()
    {
    }

    public void AddDecodedData(ByteBuffer data, bool streaming)
    {
    }

    public void InjectDecodedDataToFilterChain(ByteBuffer data, bool endStream)
    {
    }

    public HeaderMap AddDecodedTrailers() => new();

    public void Encode1xxHeaders(HeaderMap headers)
    {
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
    }

    public void OnDecoderFilterAboveWriteBufferHighWatermark()
    {
    }

    public void OnDecoderFilterBelowWriteBufferLowWatermark()
    {
    }

    public void AddDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
    }

    public void RemoveDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
    }

    public bool RecreateStream(HeaderMap? originalResponseHeaders) => false;
}
