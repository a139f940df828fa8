using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>
/// envoy.filters.network.tcp_proxy on one connection: chooses the cluster, connects (trying other hosts), relays both ways
/// with half-close and backpressure, ends both sides alike. The steps are Envoy's, whose client-visible results are recorded:
/// 1 choose and check limits, 2 connect, 3 relay, 4 end.
/// </summary>
internal sealed class TcpProxyFilter : IReadFilter, IConnectionCallbacks, ITcpPoolCallbacks, ILoadBalancerContext
{
    private readonly TcpProxyConfig _config;
    private readonly ulong _random = (ulong)Random.Shared.NextInt64();
    private IReadFilterCallbacks _callbacks = null!;
    private ICluster? _cluster;
    private TcpDestination? _destination;
    private IPoolCancellable? _connecting;
    private ITcpUpstream? _upstream;
    private ITcpConnectionData? _connectionData;
    private LoopTimer? _idleTimer;
    private LoopTimer? _durationTimer;
    private LoopTimer? _flushTimer;
    private LoopTimer? _retryTimer;
    private ByteBuffer? _early;
    private Host? _lastHost;
    private TransportSocketOptions? _transportOptions;
    private TimeSpan _idle;
    private uint _attempts;
    private bool _earlyEnd;
    private bool _readDisabledForConnect;
    private bool _readDisabledForEarlyData;
    private bool _connected;
    private bool _ended;

    public TcpProxyFilter(TcpProxyConfig config) => _config = config;

    public Connection Downstream => _callbacks.Connection;

    public StreamInfo Info => _callbacks.StreamInfo;

    IReadOnlyList<KeyValuePair<string, MetadataValue>>? ILoadBalancerContext.MetadataMatchCriteria => _destination?.MetadataMatch;

    Connection? ILoadBalancerContext.DownstreamConnection => Downstream;

    HeaderMap? ILoadBalancerContext.DownstreamHeaders => null;

    StreamInfo? ILoadBalancerContext.RequestStreamInfo => Info;

    uint ILoadBalancerContext.HostSelectionRetryCount => 0;

    IRetryPriority? ILoadBalancerContext.RetryPriority => null;

    TransportSocketOptions? ILoadBalancerContext.UpstreamTransportSocketOptions => _transportOptions;

    (string Address, bool Strict)? ILoadBalancerContext.OverrideHostToSelect => null;

    ulong? ILoadBalancerContext.ComputeHashKey() => _config.Hash?.Invoke(Downstream);

    bool ILoadBalancerContext.ShouldSelectAnotherHost(Host host) => false;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        var connection = callbacks.Connection;
        connection.HalfCloseEnabled = true;
        connection.AddCallbacks(this);
        connection.SetStats(new ConnectionStats(_config.Stats, TcpProxyStat.CxRxBytesTotal, TcpProxyStat.CxRxBytesBuffered,
            TcpProxyStat.CxTxBytesTotal, TcpProxyStat.CxTxBytesBuffered));
        _config.Stats.Inc(TcpProxyStat.CxTotal);
        if (_config.ConnectMode == TcpConnectMode.Immediate && _config.MaxEarlyDataBytes is null)
        {
            _readDisabledForConnect = true;
            connection.ReadDisable(true);
        }
    }

    public FilterStatus OnNewConnection()
    {
        ArmDuration();
        ArmAccessLogFlush();
        if (_config.LogOnStart)
        {
            Log(AccessLogType.TcpConnectionStart);
        }
        _transportOptions = UpstreamTransportOptions.From(Info.FilterState);
        return _config.ConnectMode == TcpConnectMode.Immediate ? Establish() : FilterStatus.Continue;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        Info.BytesReceived += data.Length;
        Info.DownstreamWireBytesReceived += data.Length;
        if (_upstream is not null)
        {
            ResetIdle();
            if (Info.Upstream is { } upstream)
            {
                upstream.WireBytesSent += data.Length;
            }
            _upstream.Encode(data, endStream);
            return FilterStatus.StopIteration;
        }
        KeepEarly(data, endStream);
        if (_cluster is null && _config.ConnectMode == TcpConnectMode.OnDownstreamData && !_ended)
        {
            Establish();
        }
        return FilterStatus.StopIteration;
    }

    // 1: which cluster, may it be connected to, over what.
    private FilterStatus Establish()
    {
        _destination ??= _config.Choose(Info, _random);
        var cluster = _config.Clusters.Get(_destination.Cluster);
        if (cluster is null)
        {
            Info.SetFlag(ResponseFlags.NoClusterFound);
            _config.Stats.Inc(TcpProxyStat.CxNoRoute);
            return Fail();
        }
        _cluster = cluster;
        Info.UpstreamCluster = cluster;
        if (_attempts >= _config.MaxConnectAttempts)
        {
            Info.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
            cluster.Traffic.Inc((int)ClusterStat.UpstreamCxConnectAttemptsExceeded);
            return Fail();
        }
        if (!cluster.Resources(RoutingPriority.Default).Connections.CanCreate)
        {
            Info.SetFlag(ResponseFlags.UpstreamOverflow);
            cluster.Traffic.Inc((int)ClusterStat.UpstreamCxOverflow);
            return Fail();
        }
        return Open(cluster);
    }

    // 2: one attempt. The pool may answer before it returns.
    private FilterStatus Open(ICluster cluster)
    {
        bool noHost;
        if (_config.Tunnel is { } tunnel && !TunnelingDisabled)
        {
            var attempt = tunnel.Open(cluster, this, out noHost);
            _connecting = _connected || _ended ? null : attempt;
        }
        else
        {
            var host = cluster.ChooseHost(this).Host;
            var pool = host is null ? null : cluster.TcpPool(host, RoutingPriority.Default, this);
            noHost = pool is null;
            if (pool is not null)
            {
                _attempts++;
                Info.AttemptCount = (int)_attempts;
                var pending = pool.NewConnection(this);
                _connecting = _connected || _ended ? null : pending;
            }
        }
        if (noHost)
        {
            Info.SetFlag(ResponseFlags.NoHealthyUpstream);
            return Fail();
        }
        return FilterStatus.StopIteration;
    }

    private bool TunnelingDisabled =>
        Info.FilterState.Get(FilterStateKeys.TcpProxyDisableTunneling)?.SerializeAsString() == "true";

    public void CountAttempt()
    {
        _attempts++;
        Info.AttemptCount = (int)_attempts;
    }

    void ITcpPoolCallbacks.OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host) =>
        OnConnectFailed(reason, transportFailureReason, host);

    /// <summary>An attempt failed: another host is tried while attempts are left.</summary>
    public void OnConnectFailed(PoolFailureReason reason, string transportFailureReason, Host? host)
    {
        _connecting = null;
        if (_ended)
        {
            return;
        }
        _lastHost = host ?? _lastHost;
        var upstream = Info.Upstream ??= new UpstreamInfo();
        upstream.Host = _lastHost;
        upstream.TransportFailureReason = transportFailureReason;
        // What the proxy itself refused is no failure of the host: it only uses up an attempt.
        if (reason is PoolFailureReason.RemoteConnectionFailure or PoolFailureReason.Timeout)
        {
            Info.SetFlag(ResponseFlags.UpstreamConnectionFailure);
            host?.Outlier.PutResult(
                reason == PoolFailureReason.Timeout ? OutlierResult.LocalOriginTimeout : OutlierResult.LocalOriginConnectFailed);
        }
        if (_config.ConnectBackOff is { } backOff && _attempts < _config.MaxConnectAttempts)
        {
            _retryTimer ??= Downstream.Loop.CreateTimer(() => Establish());
            _retryTimer.Arm(backOff.Next(_attempts - 1));
            return;
        }
        Establish();
    }

    void ITcpPoolCallbacks.OnPoolReady(ITcpConnectionData connection, Host host)
    {
        _connecting = null;
        _connectionData = connection;
        var upstream = Info.Upstream ??= new UpstreamInfo();
        var conn = connection.Connection;
        upstream.Host = host;
        upstream.LocalAddress = conn.Info.LocalAddress;
        upstream.RemoteAddress = conn.Info.RemoteAddress;
        upstream.Tls = conn.Tls;
        upstream.ConnectionId = conn.Id;
        upstream.FilterState = conn.StreamInfo.FilterState;
        upstream.TransportFailureReason = "";
        host.Outlier.PutResult(OutlierResult.LocalOriginConnectSuccessFinal);
        conn.HalfCloseEnabled = true;
        _callbacks.UpstreamHost = host;
        connection.AddUpstreamCallbacks(new UpstreamEvents(this));
        OnConnected(new TcpUpstream(connection, this, _config));
    }

    /// <summary>The peer accepted the tunnel.</summary>
    public void OnTunnelReady(ITcpUpstream upstream, Host host)
    {
        _callbacks.UpstreamHost = host;
        OnConnected(upstream);
    }

    // 3: both sides are there.
    public void OnConnected(ITcpUpstream upstream)
    {
        _connecting = null;
        _connected = true;
        _upstream = upstream;
        _transportOptions = null;
        if (Info.HasFlag(ResponseFlags.UpstreamConnectionFailure))
        {
            // A host tried before failed; the connection as a whole did not.
            Info.ResponseFlags &= ~ResponseFlags.UpstreamConnectionFailure;
        }
        StartIdle();
        if (_config.LogOnConnected)
        {
            Log(AccessLogType.TcpUpstreamConnected);
        }
        if (_early is { } early)
        {
            _early = null;
            if (!early.IsEmpty || _earlyEnd)
            {
                if (Info.Upstream is { } info)
                {
                    info.WireBytesSent += early.Length;
                }
                upstream.Encode(early, _earlyEnd);
            }
        }
        if (_readDisabledForEarlyData)
        {
            _readDisabledForEarlyData = false;
            Downstream.ReadDisable(false);
        }
        if (_readDisabledForConnect)
        {
            _readDisabledForConnect = false;
            Downstream.ReadDisable(false);
        }
    }

    public void OnUpstreamData(ByteBuffer data, bool endStream)
    {
        Info.BytesSent += data.Length;
        Info.DownstreamWireBytesSent += data.Length;
        if (Info.Upstream is { } upstream)
        {
            upstream.WireBytesReceived += data.Length;
        }
        ResetIdle();
        Downstream.Write(data, endStream);
    }

    // The client connection's events; the upstream's come through UpstreamEvents.
    void IConnectionCallbacks.OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            OnDownstreamHandshake();
        }
        else if (!_ended)
        {
            OnDownstreamClosed(connectionEvent);
        }
    }

    private void OnDownstreamHandshake()
    {
        if (_config.ConnectMode == TcpConnectMode.OnDownstreamTlsHandshake && _cluster is null && !_ended)
        {
            Establish();
        }
    }

    // 4a: the client is gone.
    private void OnDownstreamClosed(ConnectionEvent closed)
    {
        End();
        _connecting?.Cancel(closeExcess: true);
        _connecting = null;
        var upstream = _upstream;
        _upstream = null;
        var drain = upstream?.OnDownstreamClosed(closed, Downstream.DetectedCloseType);
        if (drain is not null)
        {
            drain.Begin();
            _connectionData = null;
        }
        else
        {
            _connectionData?.Dispose();
            _connectionData = null;
        }
        Log(AccessLogType.TcpConnectionEnd);
        if (FailureLog.IsFailure(Info))
        {
            _config.Failures.Add(Info);
        }
    }

    // 4b: the upstream is gone; what it sent still reaches the client.
    public void OnUpstreamClosed()
    {
        if (_upstream is null || _ended)
        {
            return;
        }
        _upstream = null;
        var type = _connectionData?.Connection.DetectedCloseType ?? DetectedCloseType.Normal;
        if (Info.Upstream is { } info)
        {
            info.DetectedCloseType = type;
        }
        _connectionData?.Dispose();
        _connectionData = null;
        _idleTimer?.Disarm();
        if (type == DetectedCloseType.RemoteReset)
        {
            Info.SetFlag(ResponseFlags.UpstreamRemoteReset);
            Downstream.Close(ConnectionCloseType.AbortReset);
            return;
        }
        if (Downstream.State == ConnectionState.Open)
        {
            Downstream.Close(ConnectionCloseType.FlushWrite);
        }
    }

    // The client reads too slowly: no more is read from the upstream.
    void IConnectionCallbacks.OnAboveWriteBufferHighWatermark() => _upstream?.ReadDisable(true);

    void IConnectionCallbacks.OnBelowWriteBufferLowWatermark() => _upstream?.ReadDisable(false);

    /// <summary>Counts that reading from the upstream stops or goes on for the client's sake.</summary>
    public void CountReadDisable(bool disable) => _cluster?.Traffic.Inc(
        (int)(disable ? ClusterStat.UpstreamFlowControlPausedReadingTotal : ClusterStat.UpstreamFlowControlResumedReadingTotal));

    /// <summary>The upstream takes no more for now.</summary>
    public void PauseDownstream()
    {
        _config.Stats.Inc(TcpProxyStat.FlowControlPaused);
        Downstream.ReadDisable(true);
    }

    public void ResumeDownstream()
    {
        _config.Stats.Inc(TcpProxyStat.FlowControlResumed);
        if (Downstream.State == ConnectionState.Open)
        {
            Downstream.ReadDisable(false);
        }
    }

    private FilterStatus Fail()
    {
        Downstream.Close(ConnectionCloseType.NoFlush);
        return FilterStatus.StopIteration;
    }

    private void KeepEarly(ByteBuffer data, bool endStream)
    {
        _early ??= new ByteBuffer();
        if (!data.IsEmpty)
        {
            _config.Stats.Inc(TcpProxyStat.EarlyDataReceived);
        }
        _early.MoveFrom(data);
        _earlyEnd |= endStream;
        if (!_readDisabledForEarlyData && _early.Length > (_config.MaxEarlyDataBytes ?? 0))
        {
            _readDisabledForEarlyData = true;
            Downstream.ReadDisable(true);
        }
    }

    private void End()
    {
        _ended = true;
        _idleTimer?.Disarm();
        _durationTimer?.Disarm();
        _flushTimer?.Disarm();
        _retryTimer?.Disarm();
        _early?.Clear();
    }

    private void StartIdle()
    {
        var timeout = PerConnectionIdleTimeout();
        if (timeout > TimeSpan.Zero)
        {
            _idle = timeout;
            _idleTimer = Downstream.Loop.CreateTimer(OnIdle);
            _idleTimer.Arm(timeout);
            Downstream.BytesSent = _ => ResetIdle();
        }
    }

    private TimeSpan PerConnectionIdleTimeout() =>
        Info.FilterState.Get(FilterStateKeys.TcpProxyIdleTimeout)?.SerializeAsString() is { } text
        && long.TryParse(text, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : _config.IdleTimeout;

    private void ResetIdle()
    {
        if (_idleTimer is { IsArmed: true })
        {
            _idleTimer.Arm(_idle);
        }
    }

    private void OnIdle()
    {
        _config.Stats.Inc(TcpProxyStat.IdleTimeout);
        Downstream.Close(ConnectionCloseType.NoFlush, "tcp_session_idle_timeout");
    }

    private void ArmDuration()
    {
        if (_config.MaxDuration <= TimeSpan.Zero)
        {
            return;
        }
        var jitter = 1 + (Random.Shared.NextDouble() * _config.MaxDurationJitterPercent / 100);
        _durationTimer = Downstream.Loop.CreateTimer(() =>
        {
            Info.SetFlag(ResponseFlags.DurationTimeout);
            _config.Stats.Inc(TcpProxyStat.MaxDownstreamConnectionDuration);
            Downstream.Close(ConnectionCloseType.NoFlush, "max_connection_duration_reached");
        });
        _durationTimer.Arm(_config.MaxDuration * jitter);
    }

    private void ArmAccessLogFlush()
    {
        if (_config.AccessLogFlushInterval <= TimeSpan.Zero)
        {
            return;
        }
        _flushTimer = Downstream.Loop.CreateTimer(() =>
        {
            Log(AccessLogType.TcpPeriodic);
            _flushTimer!.Arm(_config.AccessLogFlushInterval);
        });
        _flushTimer.Arm(_config.AccessLogFlushInterval);
    }

    private void Log(AccessLogType type)
    {
        // On TCP what passed is what was on the wire.
        Info.DownstreamWireBytesReceived = Info.BytesReceived;
        Info.DownstreamWireBytesSent = Info.BytesSent;
        if (Info.Upstream is { } upstream)
        {
            upstream.WireBytesSent = Info.BytesReceived;
            upstream.WireBytesReceived = Info.BytesSent;
        }
        foreach (var log in _config.AccessLogs)
        {
            log.Log(new LogContext(null, null, null, Info, type));
        }
    }

    private sealed class UpstreamEvents(TcpProxyFilter filter) : ITcpUpstreamCallbacks
    {
        public void OnEvent(ConnectionEvent connectionEvent)
        {
            if (connectionEvent != ConnectionEvent.Connected)
            {
                filter.OnUpstreamClosed();
            }
        }

        public void OnUpstreamData(ByteBuffer data, bool endStream) => filter.OnUpstreamData(data, endStream);

        public void OnAboveWriteBufferHighWatermark() => filter.PauseDownstream();

        public void OnBelowWriteBufferLowWatermark() => filter.ResumeDownstream();
    }
}
