using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// One exchange of a downstream connection, from its first byte to its access log: between the codec and the filters
/// (Envoy's ActiveStream).
/// </summary>
internal sealed partial class ActiveStream : IRequestDecoder, IStreamCallbacks, IFilterManagerCallbacks
{
    private readonly HttpConnectionManager _manager;
    private readonly HttpConnectionManagerConfig _config;
    private readonly StatBlock _stats;
    private bool _onResetCalled;
    private bool _codecEncodeComplete;
    private bool _zombie;
    private bool _chainCreated;
    private bool _upgraded;
    private bool _logged;
    private RouteEntry? _route;
    private bool _routeCached;
    private RouteTable? _routes;

    public ActiveStream(HttpConnectionManager manager, IResponseEncoder encoder)
    {
        _manager = manager;
        _config = manager.Config;
        _stats = _config.Stats;
        Encoder = encoder;
        StreamId = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        var connection = manager.Connection;
        StreamInfo = new StreamInfo
        {
            StartTime = connection.Loop.UtcNow,
            StartNanoseconds = EventLoop.NowNanoseconds,
            Downstream = connection.Info,
            ConnectionStreamInfo = connection.StreamInfo,
            DownstreamTls = connection.Tls,
            Protocol = manager.Protocol,
            StreamId = StreamId,
            Listener = _config.Listener,
            FilterChainName = connection.StreamInfo.FilterChainName,
            FilterChainMetadata = connection.StreamInfo.FilterChainMetadata,
            MatchUpstreamScheme = _config.SchemeMatchUpstream,
        };
        Filters = new FilterManager(this)
        {
            Proxy100Continue = _config.Proxy100Continue,
            BufferLimit = encoder.Stream.BufferLimit,
        };
        _stats.Inc(HttpManagerStat.DownstreamRqTotal);
        _stats.Inc(HttpManagerStat.DownstreamRqActive);
        _stats.Inc(manager.IsHttp2 ? HttpManagerStat.DownstreamRqHttp2Total : HttpManagerStat.DownstreamRqHttp1Total);
        StartTimers();
    }

    public FilterManager Filters { get; }

    /// <summary>Null once the stream was replaced by another on the same encoder.</summary>
    public IResponseEncoder? Encoder { get; private set; }

    public StreamInfo StreamInfo { get; }

    public ulong StreamId { get; }

    public bool IsRecreated { get; init; }

    public bool IsInternallyDestroyed { get; private set; }

    /// <summary>The client asked for the connection to be closed after the answer, or we decided so.</summary>
    public bool SawConnectionClose { get; set; }

    public bool RemoteComplete => Filters.DecodeComplete;

    /// <summary>The codec was given the end of the response.</summary>
    public bool LocalComplete { get; private set; }

    public bool CanDestroy => _onResetCalled || _codecEncodeComplete || IsInternallyDestroyed;

    /// <summary>An HTTP/1.0 body without length ends with the connection.</summary>
    public bool EndsByClose => _manager.Protocol == HttpProtocol.Http10
        && (ResponseHeaders is null || !ResponseHeaders.Contains(KnownHeader.ContentLength));

    public Connection Connection => _manager.Connection;

    public EventLoop Loop => _manager.Connection.Loop;

    public HeaderMap? RequestHeaders { get; private set; }

    public HeaderMap? RequestTrailers { get; set; }

    public HeaderMap? InformationalHeaders { get; set; }

    public HeaderMap? ResponseHeaders { get; set; }

    public HeaderMap? ResponseTrailers { get; set; }

    public CodecLimits RequestHeaderLimits => _config.Codecs.Limits;

    public ISpan ActiveSpan { get; private set; } = NullSpan.Instance;

    public LocalReply LocalReply => _config.LocalReply;

    Route? IFilterManagerCallbacks.Route => CurrentRoute;

    public ICluster? ClusterInfo
    {
        get
        {
            _ = CurrentRoute;
            return StreamInfo.UpstreamCluster;
        }
    }

    public TransportSocketOptions? UpstreamTransportSocketOptions => Network.UpstreamTransportOptions.From(StreamInfo.KnownFilterState);

    /// <summary>The route, looked up when first asked for and after the cache was cleared.</summary>
    public RouteEntry? CurrentRoute
    {
        get
        {
            if (!_routeCached)
            {
                RefreshRoute();
            }
            return _route;
        }
    }

    public void ClearRouteCache() => _routeCached = false;

    public void SetRoute(Route? route)
    {
        _route = (RouteEntry?)route;
        _routeCached = true;
        RouteChanged();
    }

    /// <summary>RFC 9113 8.5: a failed tunnel is reset with CONNECT_ERROR.</summary>
    public StreamResetReason ReasonToReset()
    {
        // The codec tells an extended CONNECT (RFC 8441) as an upgrade.
        var isTunnel = RequestHeaders is { } headers && (headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8)
            || (_manager.IsHttp2 && HeaderTokens.IsUpgrade(headers)));
        return isTunnel && (StreamInfo.HasFlag(ResponseFlags.UpstreamConnectionFailure)
            || StreamInfo.HasFlag(ResponseFlags.UpstreamConnectionTermination))
                ? StreamResetReason.ConnectError
                : StreamResetReason.LocalReset;
    }

    public void MarkLocalComplete()
    {
        Filters.EncodeEnded = true;
        LocalComplete = true;
    }

    /// <summary>Ended for everyone but the codec, which still writes.</summary>
    public void BecomeZombie() => _zombie = true;

    /// <summary>The connection ends under the stream.</summary>
    public void OnConnectionEnd(ResponseFlags? flag, string details)
    {
        Encoder?.Stream.RemoveCallbacks(this);
        var own = Encoder?.Stream.ResponseDetails ?? "";
        if (own.Length > 0 || details.Length > 0)
        {
            StreamInfo.ResponseCodeDetails = own.Length > 0 ? own : details;
        }
        if (flag is { } set)
        {
            StreamInfo.SetFlag(set);
        }
        OnResetStream(StreamResetReason.ConnectionTermination, "");
    }

    public void OnResetStream(StreamResetReason reason, string transportFailureReason)
    {
        _stats.Inc(HttpManagerStat.DownstreamRqRxReset);
        _onResetCalled = true;
        if (Encoder?.Stream.ResponseDetails is { Length: > 0 } details)
        {
            if (reason is StreamResetReason.LocalReset or StreamResetReason.ProtocolError)
            {
                StreamInfo.SetFlag(ResponseFlags.DownstreamProtocolError);
            }
            else if (reason is StreamResetReason.RemoteReset or StreamResetReason.RemoteRefusedStreamReset)
            {
                StreamInfo.SetFlag(ResponseFlags.DownstreamRemoteReset);
            }
            StreamInfo.ResponseCodeDetails = details;
        }
        Filters.SawDownstreamReset = true;
        Filters.EncodeEnded = true;
        _manager.DestroyStream(this);
    }

    public void OnAboveWriteBufferHighWatermark() => Filters.CallHighWatermarkCallbacks();

    public void OnBelowWriteBufferLowWatermark() => Filters.CallLowWatermarkCallbacks();

    public void OnCodecEncodeComplete()
    {
        _codecEncodeComplete = true;
        if (StreamInfo.LastDownstreamTxByteSent == 0)
        {
            StreamInfo.LastDownstreamTxByteSent = EventLoop.NowNanoseconds;
        }
        if (_zombie)
        {
            _manager.DestroyStream(this);
        }
    }

    public void OnDecoderFilterAboveWriteBufferHighWatermark()
    {
        Encoder?.Stream.ReadDisable(true);
        _stats.Inc(HttpManagerStat.DownstreamFlowControlPausedReadingTotal);
    }

    public void OnDecoderFilterBelowWriteBufferLowWatermark()
    {
        // The stream may have ended meanwhile, and its codec with it.
        if (Encoder is null || _onResetCalled)
        {
            return;
        }
        Encoder.Stream.ReadDisable(false);
        _stats.Inc(HttpManagerStat.DownstreamFlowControlResumedReadingTotal);
    }

    // Only routes that forward have their say here; redirects and direct responses finalize their own headers.
    public void FinalizeRouteHeaders(HeaderMap headers)
    {
        if (StreamInfo.Route is RouteEntry { Action: not null } route)
        {
            route.FinalizeResponseHeaders(headers, new LogContext(RequestHeaders, headers, null, StreamInfo));
        }
    }

    public void OnRequestTooLarge() => _stats.Inc(HttpManagerStat.DownstreamRqTooLarge);

    public void OnResponseTooLarge() => _stats.Inc(HttpManagerStat.RsTooLarge);

    // 400 tells that the message itself was broken, so the next one on the connection cannot be trusted.
    public void OnLocalReply(int code)
    {
        if (code == 400 && !_manager.IsHttp2 && Encoder is { StreamErrorOnInvalidHttpMessage: false })
        {
            SawConnectionClose = true;
        }
    }

    public void ResetStream(StreamResetReason reason)
    {
        _stats.Inc(HttpManagerStat.DownstreamRqTxReset);
        _manager.EndStream(this);
    }

    /// <summary>Ends the exchange: everything is known, so it is logged, and the filters go.</summary>
    public void Complete()
    {
        StreamInfo.RequestComplete = EventLoop.NowNanoseconds;
        if (Encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
            var bytes = encoder.Stream.Bytes;
            StreamInfo.DownstreamHeaderBytesReceived = bytes.HeaderBytesReceived;
            StreamInfo.DownstreamHeaderBytesSent = bytes.HeaderBytesSent;
            StreamInfo.DownstreamWireBytesReceived = bytes.WireBytesReceived;
            StreamInfo.DownstreamWireBytesSent = bytes.WireBytesSent;
        }
        _stats.Dec(HttpManagerStat.DownstreamRqActive);
        _stats.Record((int)HttpManagerStat.DownstreamRqTime, (StreamInfo.RequestComplete - StreamInfo.StartNanoseconds) / 1e6);
        if (_upgraded)
        {
            _stats.Dec(HttpManagerStat.DownstreamCxUpgradesActive);
        }
        if (_reachedTracing)
        {
            _config.Tracing!.Count(_traceReason, StreamInfo.IsHealthCheck);
        }
        Filters.OnStreamComplete();
        Log(AccessLogType.DownstreamEnd);
        if (FailureLog.IsFailure(StreamInfo))
        {
            _config.Failures.Add(StreamInfo, RequestHeaders);
        }
        _logged = true;
        SpanFinalizer.FinishDownstream(ActiveSpan, new LogContext(RequestHeaders, ResponseHeaders, ResponseTrailers, StreamInfo));
        Filters.DestroyFilters();
        if (!IsInternallyDestroyed)
        {
            // At the end of the turn: whoever called the stream just now may still look at its headers.
            Connection.Loop.Defer(static stream => ((ActiveStream)stream!).ReturnHeaders(), this);
        }
    }

    private void ReturnHeaders()
    {
        RequestHeaders?.Return();
        RequestTrailers?.Return();
        ResponseHeaders?.Return();
        ResponseTrailers?.Return();
        RequestHeaders = RequestTrailers = ResponseHeaders = ResponseTrailers = null;
    }

    public bool RecreateStream(HeaderMap? originalResponseHeaders)
    {
        if (Encoder is not { } encoder || RequestHeaders is not { } headers)
        {
            return false;
        }
        var body = new ByteBuffer();
        if (Filters.BufferedRequest is { } buffered)
        {
            body.MoveFrom(buffered);
        }
        StreamInfo.ResponseCodeDetails = ResponseCodeDetails.InternalRedirect;
        if (originalResponseHeaders is not null)
        {
            ResponseHeaders = originalResponseHeaders;
            Charge(HeaderUtility.Status(originalResponseHeaders));
        }
        var stream = _manager.Recreate(this, encoder);
        stream.Inherit(this);
        stream.DecodeHeaders(headers, body.IsEmpty);
        if (!body.IsEmpty)
        {
            stream.DecodeData(body, true);
        }
        return true;
    }

    // The redirected request is the same to the client: its address, and what filters asked to keep for the request.
    private void Inherit(ActiveStream old)
    {
        StreamInfo.FilterState.TakeRequestObjects(old.StreamInfo.FilterState);
        StreamInfo.Downstream = old.StreamInfo.Downstream;
        SawConnectionClose = old.SawConnectionClose;
    }

    /// <summary>The stream was replaced: the codec belongs to another now.</summary>
    public void Detach()
    {
        IsInternallyDestroyed = true;
        Encoder?.Stream.RemoveCallbacks(this);
        Encoder = null;
    }

    private void Log(AccessLogType type)
    {
        if (_logged)
        {
            return;
        }
        var context = new LogContext(RequestHeaders, ResponseHeaders, ResponseTrailers, StreamInfo, type);
        if (Filters.AccessLogs is { } own)
        {
            foreach (var log in own)
            {
                log.Log(context);
            }
        }
        foreach (var log in _config.AccessLogs)
        {
            log.Log(context);
        }
    }

    private void RefreshRoute()
    {
        _routeCached = true;
        _route = RequestHeaders is { } headers ? _routes?.Route(headers, StreamInfo, StreamId) : null;
        RouteChanged();
    }

    private void RouteChanged()
    {
        StreamInfo.Route = _route;
        StreamInfo.RouteName = _route?.Name ?? "";
        StreamInfo.VirtualHostName = _route?.Vhost.Name ?? "";
        StreamInfo.UpstreamCluster = _route?.ClusterName is { Length: > 0 } name ? _config.Clusters.Get(name) : null;
        if (_route?.Action is { } action)
        {
            RefreshIdleTimeout(action);
            RefreshDurationTimeout(action);
        }
    }
}
