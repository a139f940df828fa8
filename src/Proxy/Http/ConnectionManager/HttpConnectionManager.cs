using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// The HTTP connection manager of one downstream connection: feeds the codec, owns the streams, drains and closes
/// (Envoy's ConnectionManagerImpl). All on the connection's loop.
/// </summary>
internal sealed class HttpConnectionManager(HttpConnectionManagerConfig config)
    : IReadFilter, IServerConnectionCallbacks, IConnectionCallbacks
{
    private readonly List<ActiveStream> _streams = [];
    private Connection _connection = null!;
    private LoopTimer? _idleTimer;
    private LoopTimer? _durationTimer;
    private LoopTimer? _drainTimer;
    private IServerConnection? _codec;
    private HttpManagerStat? _protocolActive;
    private uint _accumulatedRequests;
    private long _created;
    private bool _goAwaySent;
    private bool _ended;
    private ulong _endedStreams;
    private ulong _prematureResets;

    /// <summary>How far the connection is on its way to its end.</summary>
    public enum DrainState
    {
        NotDraining,

        /// <summary>Told the client; new streams are still served.</summary>
        Draining,

        /// <summary>Closes with its last stream.</summary>
        Closing,
    }

    public HttpConnectionManagerConfig Config => config;

    public Connection Connection => _connection;

    public IServerConnection? Codec => _codec;

    public HttpProtocol Protocol => _codec?.Protocol ?? HttpProtocol.Http11;

    public bool IsHttp2 => Protocol == HttpProtocol.Http2;

    public DrainState Drain { get; private set; }

    /// <summary>A request that max_connection_duration must still let in (http1_safe_max_connection_duration).</summary>
    public bool SoftDrainHttp1 { get; private set; }

    private StatBlock Stats => config.Stats;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _connection = callbacks.Connection;
        _created = EventLoop.NowNanoseconds;
        Stats.Inc(HttpManagerStat.DownstreamCxTotal);
        Stats.Inc(HttpManagerStat.DownstreamCxActive);
        if (_connection.Tls is not null)
        {
            Stats.Inc(HttpManagerStat.DownstreamCxSslTotal);
            Stats.Inc(HttpManagerStat.DownstreamCxSslActive);
        }
        _connection.AddCallbacks(this);
        _connection.DelayedCloseTimeout = config.DelayedCloseTimeout;
        _connection.SetStats(new ConnectionStats(Stats,
            (int)HttpManagerStat.DownstreamCxRxBytesTotal, (int)HttpManagerStat.DownstreamCxRxBytesBuffered,
            (int)HttpManagerStat.DownstreamCxTxBytesTotal, (int)HttpManagerStat.DownstreamCxTxBytesBuffered,
            (int)HttpManagerStat.DownstreamCxDelayedCloseTimeout));
        if (config.IdleTimeout > TimeSpan.Zero)
        {
            _idleTimer = _connection.Loop.CreateTimer(OnIdleTimeout);
            _idleTimer.Arm(config.IdleTimeout);
        }
        if (config.MaxConnectionDuration > TimeSpan.Zero)
        {
            _durationTimer = _connection.Loop.CreateTimer(OnDurationTimeout);
            _durationTimer.Arm(config.MaxConnectionDuration);
        }
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (_codec is null)
        {
            CreateCodec(data);
        }
        bool again;
        do
        {
            again = false;
            if (_codec!.Dispatch(data) is { } error)
            {
                HandleCodecError(error);
                data.Drain(data.Length);
                return FilterStatus.StopIteration;
            }
            CheckForDeferredClose(skipDelay: false);
            // HTTP/1 stops behind each request: what is left is the next one, unless this one still waits for its answer.
            if (!IsHttp2 && _connection.State == ConnectionState.Open && !data.IsEmpty && _streams.Count == 0)
            {
                again = true;
            }
        }
        while (again);
        return FilterStatus.StopIteration;
    }

    public IRequestDecoder NewStream(IResponseEncoder encoder)
    {
        _idleTimer?.Disarm();
        var stream = new ActiveStream(this, encoder);
        _streams.Add(stream);
        _accumulatedRequests++;
        if (config.MaxRequestsPerConnection > 0 && _accumulatedRequests >= config.MaxRequestsPerConnection)
        {
            if (!IsHttp2)
            {
                stream.SawConnectionClose = true;
                Drain = DrainState.Closing;
                Stats.Inc(HttpManagerStat.DownstreamCxMaxRequestsReached);
            }
            else if (Drain == DrainState.NotDraining)
            {
                StartDrainSequence();
                Stats.Inc(HttpManagerStat.DownstreamCxMaxRequestsReached);
            }
        }
        encoder.Stream.AddCallbacks(stream);
        encoder.Stream.SetFlushTimeout(config.StreamFlushTimeout ?? config.StreamIdleTimeout);
        if (_connection.AboveHighWatermark)
        {
            stream.OnAboveWriteBufferHighWatermark();
        }
        return stream;
    }

    public void OnGoAway(bool isError)
    {
        // The client's GOAWAY changes nothing: its streams go on, and it will close.
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            return;
        }
        string details;
        if (connectionEvent == ConnectionEvent.LocalClose)
        {
            Stats.Inc(HttpManagerStat.DownstreamCxDestroyLocal);
            details = $"{ResponseCodeDetails.DownstreamLocalDisconnect}({_connection.LocalCloseReason.Replace(' ', '_')})";
        }
        else
        {
            Stats.Inc(HttpManagerStat.DownstreamCxDestroyRemote);
            details = ResponseCodeDetails.DownstreamRemoteDisconnect;
        }
        EndConnection(null, connectionEvent, ResponseFlags.DownstreamConnectionTermination, details);
        OnDestroy();
    }

    public void OnAboveWriteBufferHighWatermark() => _codec?.OnUnderlyingConnectionAboveWriteBufferHighWatermark();

    public void OnBelowWriteBufferLowWatermark() => _codec?.OnUnderlyingConnectionBelowWriteBufferLowWatermark();

    /// <summary>Answers still go out; the client is told to come on another connection.</summary>
    public void StartDrainSequence()
    {
        if (Drain != DrainState.NotDraining)
        {
            return;
        }
        Drain = DrainState.Draining;
        _codec?.ShutdownNotice();
        _drainTimer = _connection.Loop.CreateTimer(OnDrainTimeout);
        _drainTimer.Arm(config.DrainTimeout * (1 + (Random.Shared.NextDouble() * config.DrainTimeoutJitterPercent / 100)));
    }

    /// <summary>The connection closes when its last stream ends.</summary>
    public void CloseAfterStreams() => Drain = DrainState.Closing;

    /// <summary>The stream's answer is complete, or it is given up: ends it, then perhaps the connection.</summary>
    public void EndStream(ActiveStream stream, bool checkForDeferredClose = true)
    {
        var reset = false;
        if (stream.Encoder is { } encoder && (!stream.RemoteComplete || !stream.LocalComplete))
        {
            // A half-done exchange cannot go on: HTTP/2 resets the stream, HTTP/1 closes the connection.
            stream.MarkLocalComplete();
            encoder.Stream.ResetStream(stream.ReasonToReset());
            reset = true;
        }
        if (!reset)
        {
            DestroyStream(stream);
        }
        if (reset && !IsHttp2)
        {
            Drain = DrainState.Closing;
        }
        // A body that ends with the connection leaves nothing to wait for.
        if (checkForDeferredClose)
        {
            CheckForDeferredClose(stream.EndsByClose);
        }
    }

    /// <summary>Takes the stream out of the connection and logs it.</summary>
    public void DestroyStream(ActiveStream stream)
    {
        stream.StopTimers();
        if (!stream.CanDestroy)
        {
            stream.BecomeZombie();
            return;
        }
        if (!_streams.RemoveReference(stream))
        {
            return;
        }
        stream.Complete();
        if (!stream.IsInternallyDestroyed)
        {
            CountReset(stream);
        }
        if (_streams.Count == 0 && !_ended)
        {
            _idleTimer?.Arm(config.IdleTimeout);
        }
    }

    public void CheckForDeferredClose(bool skipDelay)
    {
        if (Drain == DrainState.Closing && _streams.Count == 0 && _codec is { WantsToWrite: false }
            && _connection.State == ConnectionState.Open)
        {
            EndConnection(skipDelay ? ConnectionCloseType.FlushWrite : ConnectionCloseType.FlushWriteAndDelay,
                ConnectionEvent.LocalClose, null, "deferred_close_on_drained_connection");
        }
    }

    /// <summary>A stream was recreated under the same encoder (internal redirect).</summary>
    public ActiveStream Recreate(ActiveStream old, IResponseEncoder encoder)
    {
        old.Detach();
        EndStream(old, checkForDeferredClose: false);
        var stream = new ActiveStream(this, encoder) { IsRecreated = true };
        _streams.Add(stream);
        _idleTimer?.Disarm();
        encoder.Stream.AddCallbacks(stream);
        return stream;
    }

    // A client that opens streams only to reset them makes work for nothing ("rapid reset").
    private void CountReset(ActiveStream stream)
    {
        _endedStreams++;
        var info = stream.StreamInfo;
        if (info.ResponseCode == 0)
        {
            var lifetime = (ulong)(info.RequestComplete - info.StartNanoseconds) / 1_000_000_000;
            if (lifetime <= config.Runtime.GetInteger("overload.premature_reset_min_stream_lifetime_seconds", 1))
            {
                _prematureResets++;
            }
        }
        if (_prematureResets == 0 || _ended || Drain != DrainState.NotDraining || _connection.State != ConnectionState.Open)
        {
            return;
        }
        // Before the limit: are there so many that only good ones could not bring them under half any more?
        var limit = config.Runtime.GetInteger("overload.premature_reset_total_stream_count", 500);
        if (_prematureResets * 2 >= Math.Max(limit, _endedStreams))
        {
            Stats.Inc(HttpManagerStat.DownstreamRqTooManyPrematureResets);
            EndConnection(ConnectionCloseType.NoFlush, ConnectionEvent.LocalClose, null, "too_many_premature_resets");
        }
    }

    private void CreateCodec(ByteBuffer data)
    {
        _codec = config.Codecs.Create(_connection, this, data);
        if (_codec.Protocol == HttpProtocol.Http2)
        {
            Stats.Inc(HttpManagerStat.DownstreamCxHttp2Total);
            _protocolActive = HttpManagerStat.DownstreamCxHttp2Active;
        }
        else
        {
            Stats.Inc(HttpManagerStat.DownstreamCxHttp1Total);
            _protocolActive = HttpManagerStat.DownstreamCxHttp1Active;
        }
        Stats.Inc(_protocolActive.Value);
        _connection.StreamInfo.Protocol = _codec.Protocol;
    }

    private void HandleCodecError(CodecError error)
    {
        if (error.Kind == CodecErrorKind.Protocol)
        {
            Stats.Inc(HttpManagerStat.DownstreamCxProtocolError);
        }
        var details = $"codec_error:{error.Details.Replace(' ', '_')}";
        _connection.StreamInfo.ResponseCodeDetails = details;
        _connection.StreamInfo.SetFlag(ResponseFlags.DownstreamProtocolError);
        // The codec has already answered: 400 in HTTP/1, GOAWAY in HTTP/2.
        EndConnection(ConnectionCloseType.FlushWriteAndDelay, ConnectionEvent.LocalClose,
            ResponseFlags.DownstreamProtocolError, details);
    }

    private void EndConnection(ConnectionCloseType? close, ConnectionEvent how, ResponseFlags? flag, string details)
    {
        _ended = true;
        _idleTimer?.Disarm();
        _durationTimer?.Disarm();
        _drainTimer?.Disarm();
        if (_streams.Count > 0)
        {
            Stats.Inc(HttpManagerStat.DownstreamCxDestroyActiveRq);
            Stats.Inc(how == ConnectionEvent.LocalClose
                ? HttpManagerStat.DownstreamCxDestroyLocalActiveRq
                : HttpManagerStat.DownstreamCxDestroyRemoteActiveRq);
            ResetAllStreams(flag, details);
        }
        if (close is { } type)
        {
            _connection.Close(type, details);
        }
    }

    private void ResetAllStreams(ResponseFlags? flag, string details)
    {
        while (_streams.Count > 0)
        {
            var stream = _streams[^1];
            var count = _streams.Count;
            stream.OnConnectionEnd(flag, details);
            if (_streams.Count == count)
            {
                _streams.RemoveReference(stream);
            }
        }
    }

    private void OnDestroy()
    {
        Stats.Inc(HttpManagerStat.DownstreamCxDestroy);
        Stats.Dec(HttpManagerStat.DownstreamCxActive);
        if (_connection.Tls is not null)
        {
            Stats.Dec(HttpManagerStat.DownstreamCxSslActive);
        }
        if (_protocolActive is { } active)
        {
            Stats.Dec(active);
        }
        Stats.Record((int)HttpManagerStat.DownstreamCxLengthMs, (EventLoop.NowNanoseconds - _created) / 1e6);
    }

    private void OnIdleTimeout()
    {
        Stats.Inc(HttpManagerStat.DownstreamCxIdleTimeout);
        if (_codec is null)
        {
            // Nothing was ever asked: no one needs to be told.
            EndConnection(ConnectionCloseType.FlushWrite, ConnectionEvent.LocalClose, null, "on_idle_timeout");
        }
        else if (Drain == DrainState.NotDraining)
        {
            StartDrainSequence();
        }
    }

    private void OnDurationTimeout()
    {
        Stats.Inc(HttpManagerStat.DownstreamCxMaxDurationReached);
        if (_codec is null)
        {
            EndConnection(ConnectionCloseType.FlushWrite, ConnectionEvent.LocalClose, null, "max_connection_duration_reached");
        }
        else if (!IsHttp2 && config.SafeMaxConnectionDuration)
        {
            // The next request is served, and its answer says close.
            SoftDrainHttp1 = true;
            Stats.Inc(HttpManagerStat.DownstreamCxHttp1SoftDrain);
        }
        else if (Drain == DrainState.NotDraining)
        {
            StartDrainSequence();
        }
    }

    private void OnDrainTimeout()
    {
        if (!_goAwaySent)
        {
            _goAwaySent = true;
            _codec?.GoAway();
        }
        Drain = DrainState.Closing;
        CheckForDeferredClose(skipDelay: false);
    }
}
