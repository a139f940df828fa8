using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>One exchange of an asynchronous client: stands where a downstream stream would be, with a router filter of its own.</summary>
internal sealed class AsyncHttpStream : IAsyncStream, IStreamDecoderFilterCallbacks
{
    /// <summary>Without a downstream connection to set it: what Envoy's client keeps of a body for retries.</summary>
    private const uint DefaultBufferLimit = 64 * 1024;

    private readonly RouterFilter _router;
    private readonly RouteEntry _route;
    private readonly IResponseDecoder _decoder;
    private readonly IAsyncStreamCallbacks _callbacks;
    private readonly AsyncRequestOptions _options;
    private readonly string _cluster;
    private readonly IClusterManager _clusters;
    private readonly ISpan _span;
    private ByteBuffer? _buffered;
    private HeaderMap? _requestTrailers;
    private bool _isGrpc;
    private bool _isHead;
    private bool _localClosed;
    private bool _remoteClosed;
    private bool _destroyed;
    private int _highWatermarks;

    public AsyncHttpStream(
        AsyncHttpClient client, RouterConfig router, AsyncRequestOptions options, IResponseDecoder decoder, IAsyncStreamCallbacks callbacks)
    {
        _options = options;
        _decoder = decoder;
        _callbacks = callbacks;
        _cluster = client.Cluster;
        _clusters = router.Clusters;
        _route = client.RouteFor(options);
        Loop = EventLoop.Current ?? throw new InvalidOperationException("An asynchronous client may be used on an event loop only.");
        StreamId = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        StreamInfo = CallInfo.New();
        StreamInfo.Protocol = HttpProtocol.Http11;
        StreamInfo.StreamId = StreamId;
        StreamInfo.Route = _route;
        StreamInfo.UpstreamCluster = router.Clusters.Get(client.Cluster);
        StreamInfo.FilterState = new FilterState { Parent = options.ParentStreamInfo?.FilterState };
        _span = SpanOf(options, client.Cluster);
        _router = new RouterFilter(router);
        _router.SetDecoderFilterCallbacks(this);
    }

    public bool IsAboveWriteBufferHighWatermark => _highWatermarks > 0;

    public EventLoop Loop { get; }

    // There is no downstream: only the load balancer asks, and takes null for "none".
    public Connection Connection => null!;

    public StreamInfo StreamInfo { get; }

    public ulong StreamId { get; }

    public Route? Route => _route;

    public ICluster? ClusterInfo => _clusters.Get(_cluster);

    public HeaderMap? RequestHeaders { get; private set; }

    public HeaderMap? RequestTrailers => _requestTrailers;

    public HeaderMap? ResponseHeaders { get; private set; }

    public HeaderMap? ResponseTrailers { get; private set; }

    public ISpan ActiveSpan => NullSpan.Instance;

    public string FilterConfigName => "";

    public ByteBuffer? DecodingBuffer => _buffered;

    public uint DecoderBufferLimit { get; set; } = DefaultBufferLimit;

    public (string Address, bool Strict)? UpstreamOverrideHost { get; set; }

    public TransportSocketOptions? UpstreamTransportSocketOptions => Network.UpstreamTransportOptions.From(StreamInfo.FilterState);

    public void SendHeaders(HeaderMap headers, bool endStream)
    {
        RequestHeaders = headers;
        _isHead = headers.Get(KnownHeader.Method).SequenceEqual("HEAD"u8);
        _isGrpc = GrpcCommon.IsGrpcRequest(headers);
        if (!headers.Contains(KnownHeader.Scheme))
        {
            headers.Set(KnownHeader.Scheme, "http"u8);
        }
        if (_options.SendInternalHeaders)
        {
            headers.Set(KnownHeader.EnvoyInternalRequest, "true"u8);
            if (_options.SendForwardedFor)
            {
                ConnectionManager.ForwardedFor.Append(headers, ConnectionManager.LocalAddresses.First);
            }
        }
        _span.InjectContext(headers, null);
        _router.DecodeHeaders(headers, endStream);
        CloseLocal(endStream);
    }

    public void SendData(ByteBuffer data, bool endStream)
    {
        if (_localClosed || _destroyed)
        {
            data.Drain(data.Length);
            return;
        }
        _router.DecodeData(data, endStream);
        CloseLocal(endStream);
    }

    public void SendTrailers(HeaderMap trailers)
    {
        if (_localClosed || _destroyed)
        {
            return;
        }
        _requestTrailers = trailers;
        _router.DecodeTrailers(trailers);
        CloseLocal(true);
    }

    /// <summary>Gives the exchange up without telling the callbacks.</summary>
    public void Reset()
    {
        _localClosed = _remoteClosed = true;
        Destroy();
    }

    public void EncodeHeaders(HeaderMap headers, bool endStream, string details)
    {
        if (_remoteClosed)
        {
            return;
        }
        StreamInfo.ResponseCodeDetails = details;
        ResponseHeaders = headers;
        _decoder.DecodeHeaders(headers, endStream);
        CloseRemote(endStream);
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        if (_remoteClosed)
        {
            return;
        }
        _decoder.DecodeData(data, endStream);
        data.Drain(data.Length);
        CloseRemote(endStream);
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
        if (_remoteClosed)
        {
            return;
        }
        ResponseTrailers = trailers;
        _decoder.DecodeTrailers(trailers);
        CloseRemote(true);
    }

    public void Encode1xxHeaders(HeaderMap headers)
    {
        // The proxy's own calls expect nothing in between.
    }

    public void SendLocalReply(int code, ReadOnlySpan<byte> body, Action<HeaderMap>? modifyHeaders, int? grpcStatus, string details)
    {
        if (_remoteClosed)
        {
            return;
        }
        if (ResponseHeaders is not null)
        {
            ResetStream();
            return;
        }
        StreamInfo.ResponseCodeDetails = details;
        var (headers, text) = LocalReply.Default.Build(
            RequestHeaders, StreamInfo, _isGrpc, code, body.ToArray(), modifyHeaders, grpcStatus);
        var endStream = text.Length == 0 || _isHead;
        EncodeHeaders(headers, endStream, details);
        if (!endStream)
        {
            var data = new ByteBuffer();
            data.Append(text);
            EncodeData(data, true);
        }
    }

    public void ResetStream(StreamResetReason reason = StreamResetReason.LocalReset)
    {
        if (_destroyed)
        {
            return;
        }
        _localClosed = _remoteClosed = true;
        Destroy();
        _callbacks.OnReset(StreamInfo.ResponseCodeDetails ?? "");
    }

    public void AddDecodedData(ByteBuffer data, bool streaming) => (_buffered ??= new ByteBuffer()).MoveFrom(data);

    public void OnDecoderFilterAboveWriteBufferHighWatermark() => _highWatermarks++;

    public void OnDecoderFilterBelowWriteBufferLowWatermark() => _highWatermarks--;

    public void ClearRouteCache()
    {
    }

    public T? MostSpecificPerFilterConfig<T>()
        where T : class => null;

    public void TraversePerFilterConfig<T>(Action<T> visit)
        where T : class
    {
    }

    public void ContinueDecoding()
    {
    }

    public void InjectDecodedDataToFilterChain(ByteBuffer data, bool endStream) => SendData(data, endStream);

    public HeaderMap AddDecodedTrailers() => throw new NotSupportedException("An asynchronous stream has no filters that add trailers.");

    public void AddDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
    }

    public void RemoveDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
    }

    public bool RecreateStream(HeaderMap? originalResponseHeaders) => false;

    public void SetRoute(Route? route)
    {
    }

    private void CloseLocal(bool endStream)
    {
        _localClosed |= endStream;
        CompleteIfClosed();
    }

    private void CloseRemote(bool endStream)
    {
        _remoteClosed |= endStream;
        if (!_remoteClosed || _destroyed)
        {
            return;
        }
        // The answer is whole: what is left of the request is of no use.
        _localClosed = true;
        CompleteIfClosed();
    }

    private void CompleteIfClosed()
    {
        if (_localClosed && _remoteClosed && !_destroyed)
        {
            Destroy();
            _callbacks.OnComplete();
        }
    }

    private void Destroy()
    {
        if (!_destroyed)
        {
            _destroyed = true;
            SpanFinalizer.FinishCall(_span, StreamInfo);
            _router.OnDestroy();
        }
    }

    private static ISpan SpanOf(AsyncRequestOptions options, string cluster)
    {
        if (options.ParentSpan is not { } parent)
        {
            return NullSpan.Instance;
        }
        var span = parent.SpawnChild(options.SpanName ?? $"async {cluster} egress", DateTime.UtcNow);
        if (options.Sampled is { } sampled)
        {
            span.SetSampled(sampled);
        }
        return span;
    }
}
