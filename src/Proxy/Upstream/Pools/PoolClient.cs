using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>One upstream connection of a pool with its capacity for streams (Envoy's ConnectionPool::ActiveClient).</summary>
internal abstract class PoolClient : IConnectionCallbacks
{
    private readonly ConnectAttempts _attempts;
    private readonly long _connectStart = EventLoop.NowNanoseconds;
    private LoopTimer? _connectTimer;
    private LoopTimer? _durationTimer;
    private bool _released;
    private bool _closing;

    protected PoolClient(ConnectionPool pool, uint lifetimeStreams, uint concurrentStreams)
    {
        Pool = pool;
        RemainingStreams = lifetimeStreams == 0 ? uint.MaxValue : lifetimeStreams;
        ConcurrentStreamLimit = concurrentStreams;
        _attempts = new ConnectAttempts(this);
        CountOpened();
        if (pool.Cluster.Info.ConnectTimeout is { Ticks: > 0 } timeout)
        {
            _connectTimer = pool.Loop.CreateTimer(OnConnectTimeout);
            _connectTimer.Arm(timeout);
        }
    }

    public ConnectionPool Pool { get; }

    /// <summary>Null until one of the attempts is connected.</summary>
    public Connection? Connection { get; private set; }

    public PoolClientState State { get; set; }

    public PoolClientList? List { get; set; }

    public PoolClient? Previous { get; set; }

    public PoolClient? Next { get; set; }

    /// <summary>Streams it may still begin in its life (max_requests_per_connection).</summary>
    public uint RemainingStreams { get; set; }

    /// <summary>Streams at once; in HTTP/2 the peer may lower it below what is active.</summary>
    public uint ConcurrentStreamLimit { get; set; }

    public bool TimedOut { get; private set; }

    public bool HandshakeCompleted { get; set; }

    public long ConnectStart => _connectStart;

    public long ConnectComplete { get; private set; }

    /// <summary>Streams it was assumed to carry while it connected.</summary>
    public uint CapacityWhenConnecting { get; set; }

    /// <summary>What the pool counts it for at present.</summary>
    public long CountedCapacity { get; set; }

    /// <summary>Streams begun on this connection so far.</summary>
    public int StreamsBegun { get; set; }

    public abstract uint ActiveStreams { get; }

    /// <summary>Closing now would cut a response short.</summary>
    public abstract bool ClosingWithIncompleteStream { get; }

    /// <summary>Streams it could take now; negative when the peer lowered its limit below what runs.</summary>
    public long UnusedCapacity => Math.Min(RemainingStreams, (long)ConcurrentStreamLimit - ActiveStreams);

    /// <summary>Streams it can carry when idle.</summary>
    public uint EffectiveConcurrentStreamLimit => Math.Min(RemainingStreams, ConcurrentStreamLimit);

    public string TransportFailureReason => Connection?.TransportFailureReason ?? _attempts.FailureReason;

    public void Connect() => _attempts.Start();

    public virtual void Close()
    {
        if (_closing)
        {
            return;
        }
        _closing = true;
        if (Connection is { } connection)
        {
            connection.Close(ConnectionCloseType.NoFlush);
        }
        else
        {
            _attempts.Abandon();
            Pool.OnClientClosed(this, ConnectionEvent.LocalClose);
        }
    }

    /// <summary>An attempt succeeded: its connection is this client's from now on.</summary>
    public void Adopt(Connection connection)
    {
        Connection = connection;
        ConnectComplete = EventLoop.NowNanoseconds;
        StopConnectTimer();
        Pool.Cluster.Traffic.Record(ClusterStat.UpstreamCxConnectMs, (ConnectComplete - _connectStart) / 1_000_000.0);
        connection.AddCallbacks(this);
        if (Pool.Cluster.Info.MaxConnectionDuration(Pool.IsHttp) is { Ticks: > 0 } duration)
        {
            _durationTimer = Pool.Loop.CreateTimer(OnDurationReached);
            _durationTimer.Arm(duration);
        }
        OnConnected(connection);
        Pool.OnClientConnected(this);
    }

    /// <summary>All attempts failed.</summary>
    public void ConnectFailed(ConnectionEvent connectionEvent)
    {
        _closing = true;
        Pool.OnClientClosed(this, connectionEvent);
    }

    public virtual void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent != ConnectionEvent.Connected)
        {
            _closing = true;
            Pool.OnClientClosed(this, connectionEvent);
        }
    }

    public abstract void OnAboveWriteBufferHighWatermark();

    public abstract void OnBelowWriteBufferLowWatermark();

    /// <summary>Gives back what it holds of the cluster's limits; once.</summary>
    public void ReleaseResources()
    {
        StopConnectTimer();
        _durationTimer?.Disarm();
        if (_released)
        {
            return;
        }
        _released = true;
        var traffic = Pool.Cluster.Traffic;
        traffic.Dec(ClusterStat.UpstreamCxActive);
        traffic.Record(ClusterStat.UpstreamCxLengthMs, (EventLoop.NowNanoseconds - _connectStart) / 1_000_000.0);
        if (Pool.IsHttp)
        {
            traffic.Record(ClusterStat.UpstreamRqPerCx, StreamsBegun);
        }
        Interlocked.Decrement(ref Pool.Host.Stats.CxActive);
        Pool.Host.Release();
        Pool.Resources.Connections.Dec();
    }

    protected abstract void OnConnected(Connection connection);

    private void CountOpened()
    {
        var traffic = Pool.Cluster.Traffic;
        traffic.Inc(ClusterStat.UpstreamCxTotal);
        traffic.Inc(ClusterStat.UpstreamCxActive);
        Interlocked.Increment(ref Pool.Host.Stats.CxTotal);
        Interlocked.Increment(ref Pool.Host.Stats.CxActive);
        Pool.Host.Acquire();
    }

    private void StopConnectTimer()
    {
        _connectTimer?.Disarm();
        _connectTimer = null;
    }

    private void OnConnectTimeout()
    {
        Pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxConnectTimeout);
        TimedOut = true;
        Close();
    }

    private void OnDurationReached()
    {
        if (State == PoolClientState.Closed)
        {
            return;
        }
        Pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxMaxDurationReached);
        Pool.DrainClient(this);
    }
}
