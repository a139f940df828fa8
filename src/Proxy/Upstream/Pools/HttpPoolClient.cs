using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>A pooled HTTP connection with its codec (Envoy's CodecClient and the protocol's ActiveClient in one).</summary>
internal sealed class HttpPoolClient : PoolClient, IReadFilter, IClientConnectionCallbacks
{
    private readonly HttpConnectionPool _pool;
    private readonly List<HttpPoolStream> _streams = [];
    private IClientConnection? _codec;
    private LoopTimer? _idleTimer;
    private bool _protocolError;
    private bool _closedEarly;

    public HttpPoolClient(HttpConnectionPool pool)
        : base(pool, pool.Cluster.Info.HttpOptions.MaxRequestsPerConnection, StreamsAtOnce(pool)) => _pool = pool;

    public HttpProtocol Protocol { get; private set; } = HttpProtocol.Http11;

    public bool IsHttp2 => Protocol == HttpProtocol.Http2;

    /// <summary>The peer's version as its last response said (an HTTP/1.0 server does not keep connections).</summary>
    public HttpProtocol PeerProtocol => _codec!.Protocol;

    public bool RemoteClosed { get; private set; }

    /// <summary>The peer ended the connection by a FIN. A reset may answer a request that was read, so it tells nothing.</summary>
    public bool ClosedInOrder => RemoteClosed && Connection!.DetectedCloseType == DetectedCloseType.Normal;

    public override uint ActiveStreams => (uint)_streams.Count;

    public override bool ClosingWithIncompleteStream
    {
        get
        {
            foreach (var stream in _streams)
            {
                if (!stream.DecodeComplete)
                {
                    return true;
                }
            }
            return _closedEarly;
        }
    }

    public void StartStream(IResponseDecoder decoder, IHttpPoolCallbacks callbacks)
    {
        _idleTimer?.Disarm();
        var upstream = DescribeUpstream();
        var stream = new HttpPoolStream(this, decoder, upstream);
        _streams.Add(stream);
        stream.Open(_codec!);
        callbacks.OnPoolReady(stream, _pool.Host, upstream, Protocol);
    }

    /// <summary>Both ends of a stream are done.</summary>
    public void CompleteStream(HttpPoolStream stream)
    {
        Remove(stream);
        _pool.OnStreamClosed(this, delayAttaching: !IsHttp2);
        if (State == PoolClientState.Closed)
        {
            return;
        }
        ArmIdleTimer();
        if (!IsHttp2)
        {
            _pool.ScheduleAttach();
        }
        _pool.CloseIdleIfDraining();
    }

    /// <summary>The response is whole, but the connection cannot be used again.</summary>
    public void CompleteStreamAndClose(HttpPoolStream stream, bool requestWasWhole)
    {
        _closedEarly = !requestWasWhole;
        Remove(stream);
        Close();
        _pool.OnStreamClosed(this, delayAttaching: true);
    }

    public void OnStreamReset(HttpPoolStream stream, StreamResetReason reason)
    {
        if (IsHttp2)
        {
            CountReset(reason);
        }
        else
        {
            // An HTTP/1 connection cannot be used after a message that was cut short.
            Close();
        }
        Remove(stream);
        _pool.OnStreamClosed(this, delayAttaching: !IsHttp2);
        if (State != PoolClientState.Closed)
        {
            ArmIdleTimer();
            _pool.CloseIdleIfDraining();
        }
    }

    public override void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            return;
        }
        RemoteClosed |= connectionEvent == ConnectionEvent.RemoteClose;
        _idleTimer?.Disarm();
        if (!IsHttp2 && RemoteClosed && _streams.Count > 0 && _codec is not null)
        {
            // HTTP/1 may tell the end of a response by closing: the codec learns of it as of empty data.
            Dispatch(new ByteBuffer());
        }
        base.OnEvent(connectionEvent);
        var reason = _protocolError ? StreamResetReason.ProtocolError : StreamResetReason.ConnectionTermination;
        foreach (var stream in _streams.ToArray())
        {
            stream.Fail(reason, Connection!.TransportFailureReason);
        }
    }

    public override void OnAboveWriteBufferHighWatermark() => _codec?.OnUnderlyingConnectionAboveWriteBufferHighWatermark();

    public override void OnBelowWriteBufferLowWatermark() => _codec?.OnUnderlyingConnectionBelowWriteBufferLowWatermark();

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        Dispatch(data);
        return FilterStatus.StopIteration;
    }

    public void OnGoAway(bool isError)
    {
        _pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxCloseNotify);
        _pool.DrainClient(this);
    }

    public void OnMaxStreamsChanged(uint maxStreams) =>
        _pool.OnConcurrencyChanged(this, Math.Min(maxStreams, _pool.Cluster.Info.HttpOptions.Http2.MaxConcurrentStreams));

    protected override void OnConnected(Connection connection)
    {
        Protocol = NegotiatedProtocol(connection);
        _pool.LastProtocol = Protocol;
        _codec = _pool.Cluster.Codecs.Create(Protocol, connection, this, _pool.Cluster);
        ConcurrentStreamLimit = IsHttp2 ? _pool.Cluster.Info.HttpOptions.Http2.MaxConcurrentStreams : 1;
        _pool.Cluster.Traffic.Inc(IsHttp2 ? ClusterStat.UpstreamCxHttp2Total : ClusterStat.UpstreamCxHttp1Total);
        connection.AddReadFilter(this);
        connection.InitializeReadFilters();
        ArmIdleTimer();
    }

    private HttpProtocol NegotiatedProtocol(Connection connection) => _pool.Options.Protocol switch
    {
        PoolProtocol.Http2 => HttpProtocol.Http2,
        PoolProtocol.Alpn when connection.NextProtocol == "h2" => HttpProtocol.Http2,
        _ => HttpProtocol.Http11,
    };

    private static uint StreamsAtOnce(HttpConnectionPool pool)
    {
        var isHttp2 = pool.Options.Protocol == PoolProtocol.Http2
            || (pool.Options.Protocol == PoolProtocol.Alpn && pool.LastProtocol == HttpProtocol.Http2);
        return isHttp2 ? pool.Cluster.Info.HttpOptions.Http2.MaxConcurrentStreams : 1;
    }

    private void Dispatch(ByteBuffer data)
    {
        if (_codec!.Dispatch(data) is not { } error)
        {
            return;
        }
        if (error.Kind != CodecErrorKind.PrematureResponse || _streams.Count > 0)
        {
            if (error.Kind != CodecErrorKind.GracefulClose)
            {
                _pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxProtocolError);
                _protocolError = true;
            }
        }
        Close();
    }

    private UpstreamInfo DescribeUpstream()
    {
        var connection = Connection!;
        var streamInfo = connection.StreamInfo;
        return new UpstreamInfo
        {
            Host = _pool.Host,
            LocalAddress = connection.Info.LocalAddress,
            RemoteAddress = connection.Info.RemoteAddress,
            Tls = connection.Tls,
            ConnectionId = connection.Id,
            Protocol = Protocol,
            NumStreams = StreamsBegun,
            ConnectStart = ConnectStart,
            ConnectComplete = ConnectComplete,
            HandshakeComplete = connection.Tls is null ? 0 : ConnectComplete,
            PoolReady = EventLoop.NowNanoseconds,
            FilterState = streamInfo.FilterState,
        };
    }

    private void Remove(HttpPoolStream stream)
    {
        _streams.RemoveReference(stream);
        stream.Detach();
    }

    private void ArmIdleTimer()
    {
        if (_streams.Count > 0 || _pool.Cluster.Info.HttpOptions.IdleTimeout is not { Ticks: > 0 } timeout)
        {
            return;
        }
        _idleTimer ??= _pool.Loop.CreateTimer(OnIdleTimeout);
        _idleTimer.Arm(timeout);
    }

    private void OnIdleTimeout()
    {
        _pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxIdleTimeout);
        Close();
    }

    private void CountReset(StreamResetReason reason)
    {
        switch (reason)
        {
            case StreamResetReason.LocalReset or StreamResetReason.ProtocolError or StreamResetReason.OverloadManager:
                _pool.Cluster.Traffic.Inc(ClusterStat.UpstreamRqTxReset);
                break;
            case StreamResetReason.RemoteReset:
                _pool.Cluster.Traffic.Inc(ClusterStat.UpstreamRqRxReset);
                break;
        }
    }
}
