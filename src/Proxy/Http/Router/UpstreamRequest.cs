using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>One attempt of a request at one endpoint (Envoy's UpstreamRequest).</summary>
internal sealed class UpstreamRequest : IHttpPoolCallbacks, IResponseDecoder, IStreamCallbacks, IDownstreamWatermarkCallbacks
{
    private readonly RouterFilter _parent;
    private readonly EventLoop _loop;
    private readonly ISpan? _span;
    private UpstreamFilterChain? _chain;
    private IHttpConnectionPool? _pool;
    private ITcpConnectionPool? _tcpPool;
    private ConnectTermination? _termination;
    private IPoolCancellable? _pending;
    private IRequestEncoder? _encoder;
    private IStreamCallbacks? _registered;
    private ByteBuffer? _bufferedBody;
    private HeaderMap? _trailers;
    private HeaderMap? _responseHeaders;
    private HeaderMap? _responseTrailers;
    private LoopTimer? _perTryTimer;
    private LoopTimer? _perTryIdleTimer;
    private LoopTimer? _maxDurationTimer;
    private bool _endOfRequest;
    private bool _perTryAtRequestEnd;
    private bool _deferredPerTry;
    private bool _watching;
    private bool _done;
    private bool _logged;
    private int _downstreamHigh;
    private long _sentBodyBytes;
    private long _receivedBodyBytes;
    private bool _bodyAboveLimit;
    private bool _awaitsTunnel;
    private HttpProtocol _protocol;
    private HeaderMap _requestHeaders = null!;

    public UpstreamRequest(RouterFilter parent, ISpan? span)
    {
        _parent = parent;
        _loop = parent.Callbacks.Loop;
        _span = span;
        StartNanoseconds = EventLoop.NowNanoseconds;
    }

    public long StartNanoseconds { get; }

    /// <summary>The span of the attempt, or of the request when attempts have none.</summary>
    public ISpan Span => _span ?? _parent.Callbacks.ActiveSpan;

    /// <summary>The pool's facts once it gave a stream; until then the attempt's own.</summary>
    public UpstreamInfo Info
    {
        get => field ??= new UpstreamInfo();
        private set;
    }

    public Host? Host { get; private set; }

    /// <summary>No final response headers came yet.</summary>
    public bool AwaitingHeaders { get; private set; } = true;

    /// <summary>The whole request was handed to the codec.</summary>
    public bool EncodeComplete { get; private set; }

    /// <summary>A retry beside this attempt is on its way (hedging).</summary>
    public bool Retried { get; set; }

    public bool TimeoutRecorded { get; set; }

    /// <summary>gRPC over a response that began: success is known by the trailers only.</summary>
    public bool GrpcSuccessDeferred { get; set; }

    public bool IsCanary { get; set; }

    /// <summary>Why this attempt ended without an answer; the stream's own flags tell of the last attempt only.</summary>
    public ResponseFlags Flags { get; private set; }

    /// <summary>Status of this attempt's answer; 0 before, and without one.</summary>
    public int Status => _responseHeaders is { } headers ? HeaderUtility.Status(headers) : 0;

    /// <summary>Some byte of a response, also an informational one, was received.</summary>
    public bool SawResponse { get; private set; }

    public bool IsWebSocketHandshake => HeaderTokens.IsUpgrade(_requestHeaders)
        && Ascii.EqualsIgnoreCase(_requestHeaders.Get(KnownHeader.Upgrade), "websocket"u8);

    public bool SpeaksHttp1 => _protocol is HttpProtocol.Http10 or HttpProtocol.Http11;

    public HeaderMap? ResponseHeaders => _responseHeaders;

    /// <summary>Takes the headers and asks the pool for a stream.</summary>
    public void Start(IHttpConnectionPool pool, HeaderMap headers, bool endStream)
    {
        _pool = pool;
        Start(headers, endStream);
    }

    /// <summary>The payload goes as raw TCP: CONNECT ends here.</summary>
    public void Start(ITcpConnectionPool pool, HeaderMap headers, bool endStream, ConnectTermination termination)
    {
        _tcpPool = pool;
        _termination = termination;
        Start(headers, endStream);
    }

    public void SendData(ByteBuffer data, bool endStream)
    {
        if (_chain is not null && !_done)
        {
            _chain.SendData(data, endStream);
            return;
        }
        SendFilteredData(data, endStream);
    }

    public void SendTrailers(HeaderMap trailers)
    {
        if (_chain is not null && !_done)
        {
            _chain.SendTrailers(trailers);
            return;
        }
        SendFilteredTrailers(trailers);
    }

    /// <summary>The headers passed the upstream filters: asks the pool for a stream.</summary>
    public void SendFilteredHeaders(bool endStream)
    {
        if (_done)
        {
            return;
        }
        _endOfRequest = endStream;
        var decoder = (IResponseDecoder?)_chain ?? this;
        var pending = _pool is not null
            ? _pool.NewStream(decoder, this)
            : new TcpUpstream(this, decoder, _parent.Callbacks.StreamInfo.Downstream, _termination!).Start(_tcpPool!);
        // The answer may have come before the call returned.
        if (_encoder is null && !_done)
        {
            _pending = pending;
        }
    }

    public void SendFilteredData(ByteBuffer data, bool endStream)
    {
        if (_done)
        {
            data.Drain(data.Length);
            return;
        }
        _endOfRequest = endStream;
        _sentBodyBytes += data.Length;
        if (_encoder is null || _awaitsTunnel)
        {
            (_bufferedBody ??= new ByteBuffer()).MoveFrom(data);
            LimitBufferedBody();
            return;
        }
        _encoder.EncodeData(data, endStream);
        if (endStream && !_done)
        {
            OnRequestEncoded();
        }
    }

    public void SendFilteredTrailers(HeaderMap trailers)
    {
        if (_done)
        {
            return;
        }
        _endOfRequest = true;
        if (_encoder is null || _awaitsTunnel)
        {
            _trailers = trailers;
            return;
        }
        _encoder.EncodeTrailers(trailers);
        if (!_done)
        {
            OnRequestEncoded();
        }
    }

    /// <summary>The downstream request is whole: limits that run from there begin.</summary>
    public void OnDownstreamComplete()
    {
        if (_perTryAtRequestEnd)
        {
            StartPerTryTimeout();
        }
    }

    /// <summary>Gives the attempt up.</summary>
    public void Reset()
    {
        if (_done)
        {
            return;
        }
        _done = true;
        _span?.SetTag("canceled", "true");
        StopTimers();
        if (_pending is { } pending)
        {
            _pending = null;
            pending.Cancel(closeExcess: false);
        }
        if (_encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
            encoder.Stream.ResetStream(StreamResetReason.LocalReset);
        }
        Finish();
    }

    /// <summary>Nothing more is expected; logs the attempt.</summary>
    public void Finish()
    {
        _done = true;
        StopTimers();
        _chain?.End();
        if (_watching)
        {
            _watching = false;
            _parent.Callbacks.RemoveDownstreamWatermarkCallbacks(this);
            _chain?.Filters.RemoveDownstreamWatermarkCallbacks(this);
        }
        if (_encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
            RecordBytes(encoder.Stream);
            // A stream that still reads nothing would hold its connection for ever.
            for (; _downstreamHigh > 0; _downstreamHigh--)
            {
                encoder.Stream.ReadDisable(false);
            }
        }
        if (_bodyAboveLimit)
        {
            _bodyAboveLimit = false;
            _parent.Callbacks.OnDecoderFilterBelowWriteBufferLowWatermark();
        }
        _bufferedBody?.Clear();
        if (!_logged)
        {
            _logged = true;
            RecordTracked();
            _parent.FinishSpan(_span, this, _requestHeaders);
            _parent.LogUpstream(this, AccessLogType.UpstreamEnd, _requestHeaders, _responseHeaders, _responseTrailers);
        }
    }

    private void RecordTracked()
    {
        var tracked = _parent.Cluster.Tracked;
        tracked.RecordTryTime(EventLoop.NowNanoseconds - StartNanoseconds, _parent.Timeouts.PerTry);
        tracked.RecordRequest(_requestHeaders, _sentBodyBytes);
        if (_responseHeaders is { } headers)
        {
            tracked.RecordResponse(headers, _receivedBodyBytes);
        }
    }

    public void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host)
    {
        _pending = null;
        if (_done)
        {
            return;
        }
        Info.TransportFailureReason = transportFailureReason;
        SetHost(host, ready: false);
        Fail(reason switch
        {
            PoolFailureReason.Overflow => StreamResetReason.Overflow,
            PoolFailureReason.RemoteConnectionFailure => StreamResetReason.RemoteConnectionFailure,
            PoolFailureReason.LocalConnectionFailure => StreamResetReason.LocalConnectionFailure,
            _ => StreamResetReason.ConnectionTimeout,
        }, transportFailureReason);
    }

    public void OnPoolReady(IRequestEncoder encoder, Host host, UpstreamInfo upstream, HttpProtocol protocol)
    {
        _pending = null;
        _encoder = encoder;
        _registered = this;
        _protocol = protocol;
        encoder.Stream.AddCallbacks(this);
        Info = upstream;
        Info.PoolRequested = StartNanoseconds;
        Info.PoolReady = EventLoop.NowNanoseconds;
        SetHost(host, ready: true);
        _parent.LogUpstream(this, AccessLogType.UpstreamPoolReady, _requestHeaders, null, null);
        host.Outlier.PutResult(OutlierResult.LocalOriginConnectSuccess);
        if (_parent.DownstreamComplete)
        {
            StartPerTryTimeout();
        }
        else
        {
            _perTryAtRequestEnd = true;
        }
        _watching = true;
        _parent.Callbacks.AddDownstreamWatermarkCallbacks(this);
        _chain?.Filters.AddDownstreamWatermarkCallbacks(this);
        StartMaxDuration();
        SendHeaders(host);
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
        if (!_done)
        {
            SawResponse = true;
            ArmPerTryIdle();
            _parent.OnUpstream1xx(this, headers);
        }
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_done)
        {
            return;
        }
        SawResponse = true;
        ArmPerTryIdle();
        var status = HeaderUtility.Status(headers);
        // 1xx other than a granted upgrade never reach the client this way.
        if (status is >= 100 and < 200 and not 101)
        {
            return;
        }
        Info.FirstRxByteReceived = EventLoop.NowNanoseconds;
        if (endStream)
        {
            Info.LastRxByteReceived = Info.FirstRxByteReceived;
        }
        if (_awaitsTunnel)
        {
            OnTunnelAnswered(status);
        }
        AwaitingHeaders = false;
        _perTryTimer?.Disarm();
        _responseHeaders = headers;
        _parent.OnUpstreamHeaders(status, headers, this, endStream);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        if (_done)
        {
            return;
        }
        ArmPerTryIdle();
        if (endStream)
        {
            Info.LastRxByteReceived = EventLoop.NowNanoseconds;
        }
        _receivedBodyBytes += data.Length;
        _parent.OnUpstreamData(data, this, endStream);
    }

    public void DecodeTrailers(HeaderMap trailers)
    {
        if (_done)
        {
            return;
        }
        Info.LastRxByteReceived = EventLoop.NowNanoseconds;
        _responseTrailers = trailers;
        _parent.OnUpstreamTrailers(trailers, this);
    }

    public void OnResetStream(StreamResetReason reason, string transportFailureReason)
    {
        if (!_done)
        {
            Fail(reason, transportFailureReason);
        }
    }

    void IStreamCallbacks.OnAboveWriteBufferHighWatermark()
    {
        _parent.Cluster.Traffic.Inc(ClusterStat.UpstreamFlowControlBackedUpTotal);
        _parent.Callbacks.OnDecoderFilterAboveWriteBufferHighWatermark();
    }

    void IStreamCallbacks.OnBelowWriteBufferLowWatermark()
    {
        _parent.Cluster.Traffic.Inc(ClusterStat.UpstreamFlowControlDrainedTotal);
        _parent.Callbacks.OnDecoderFilterBelowWriteBufferLowWatermark();
    }

    void IDownstreamWatermarkCallbacks.OnAboveWriteBufferHighWatermark()
    {
        _downstreamHigh++;
        _parent.Cluster.Traffic.Inc(ClusterStat.UpstreamFlowControlPausedReadingTotal);
        _encoder!.Stream.ReadDisable(true);
    }

    void IDownstreamWatermarkCallbacks.OnBelowWriteBufferLowWatermark()
    {
        if (_downstreamHigh > 0)
        {
            _downstreamHigh--;
            _parent.Cluster.Traffic.Inc(ClusterStat.UpstreamFlowControlResumedReadingTotal);
            _encoder!.Stream.ReadDisable(false);
        }
    }

    private void Start(HeaderMap headers, bool endStream)
    {
        _requestHeaders = headers;
        if (_parent.UpstreamFilters is { Count: > 0 } filters)
        {
            _chain = new UpstreamFilterChain(this, _parent, filters);
            _chain.SendHeaders(headers, endStream);
            return;
        }
        SendFilteredHeaders(endStream);
    }

    private void SendHeaders(Host host)
    {
        _parent.PrepareHeadersFor(host, _requestHeaders);
        InjectContext(host);
        var endStream = _endOfRequest && _bufferedBody is null && _trailers is null;
        var isTunnel = _requestHeaders.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8) || IsWebSocketHandshake;
        _awaitsTunnel = isTunnel && !endStream;
        Info.FirstTxByteSent = EventLoop.NowNanoseconds;
        if (_encoder!.EncodeHeaders(_requestHeaders, endStream) is { } error)
        {
            _encoder.Stream.RemoveCallbacks(this);
            _parent.OnInvalidRequest(this, error);
            return;
        }
        if (_done)
        {
            return;
        }
        if (!isTunnel || endStream)
        {
            SendBuffered();
        }
    }

    private void InjectContext(Host host)
    {
        var span = Span;
        if (span.Settings is { PropagatesContext: true })
        {
            span.InjectContext(_requestHeaders, host);
        }
    }

    // Payload of a tunnel follows only once the backend granted it: any other answer makes it what it is not.
    private void OnTunnelAnswered(int status)
    {
        if (IsWebSocketHandshake ? status != 101 && SpeaksHttp1 : status != 200)
        {
            return;
        }
        _awaitsTunnel = false;
        SendBuffered();
    }

    private void SendBuffered()
    {
        if (_bufferedBody is { } body)
        {
            _bufferedBody = null;
            _encoder!.EncodeData(body, _endOfRequest && _trailers is null);
            if (_bodyAboveLimit)
            {
                _bodyAboveLimit = false;
                _parent.Callbacks.OnDecoderFilterBelowWriteBufferLowWatermark();
            }
        }
        if (!_done && _trailers is { } trailers)
        {
            _encoder!.EncodeTrailers(trailers);
        }
        if (!_done && _endOfRequest)
        {
            OnRequestEncoded();
        }
    }

    private void OnRequestEncoded()
    {
        EncodeComplete = true;
        Info.LastTxByteSent = EventLoop.NowNanoseconds;
    }

    // Until the pool gives a stream the body waits here, no more of it than a connection would hold.
    private void LimitBufferedBody()
    {
        var limit = _parent.Callbacks.DecoderBufferLimit;
        if (!_bodyAboveLimit && limit > 0 && _bufferedBody!.Length > limit)
        {
            _bodyAboveLimit = true;
            _parent.Callbacks.OnDecoderFilterAboveWriteBufferHighWatermark();
        }
    }

    private void SetHost(Host? host, bool ready)
    {
        Host = host;
        Info.Host = host;
        _parent.OnHostSelected(this, host, ready);
    }

    private void Fail(StreamResetReason reason, string transportFailureReason)
    {
        _done = true;
        StopTimers();
        if (_registered is not null && _encoder is { } encoder)
        {
            encoder.Stream.RemoveCallbacks(this);
        }
        Info.TransportFailureReason = transportFailureReason;
        Flags |= ResetReasons.Flag(reason);
        _parent.OnUpstreamReset(reason, transportFailureReason, this);
    }

    private void RecordBytes(IHttpStream stream)
    {
        Info.HeaderBytesSent = stream.Bytes.HeaderBytesSent;
        Info.HeaderBytesReceived = stream.Bytes.HeaderBytesReceived;
        Info.WireBytesSent = stream.Bytes.WireBytesSent;
        Info.WireBytesReceived = stream.Bytes.WireBytesReceived;
    }

    private void StartPerTryTimeout()
    {
        if (_deferredPerTry)
        {
            return;
        }
        _deferredPerTry = true;
        if (_parent.Timeouts.PerTry > TimeSpan.Zero && AwaitingHeaders)
        {
            _perTryTimer = _loop.CreateTimer(OnPerTryTimeout);
            _perTryTimer.Arm(_parent.Timeouts.PerTry);
        }
        ArmPerTryIdle();
    }

    private void ArmPerTryIdle()
    {
        if (_parent.Timeouts.PerTryIdle > TimeSpan.Zero && _deferredPerTry)
        {
            _perTryIdleTimer ??= _loop.CreateTimer(OnPerTryIdleTimeout);
            _perTryIdleTimer.Arm(_parent.Timeouts.PerTryIdle);
        }
    }

    private void StartMaxDuration()
    {
        var limit = _parent.MaxStreamDuration;
        if (limit > TimeSpan.Zero)
        {
            _maxDurationTimer = _loop.CreateTimer(OnMaxDuration);
            _maxDurationTimer.Arm(limit);
        }
    }

    private void OnPerTryTimeout() => _parent.OnPerTryTimeout(this, idle: false);

    private void OnPerTryIdleTimeout() => _parent.OnPerTryTimeout(this, idle: true);

    private void OnMaxDuration() => _parent.OnMaxStreamDuration(this);

    private void StopTimers()
    {
        _perTryTimer?.Disarm();
        _perTryIdleTimer?.Disarm();
        _maxDurationTimer?.Disarm();
    }
}
