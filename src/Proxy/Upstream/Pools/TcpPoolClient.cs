using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>A pooled TCP connection. Until somebody has taken it nothing is read, so that a server that speaks first is not lost.</summary>
internal sealed class TcpPoolClient(TcpConnectionPool pool) : PoolClient(pool, lifetimeStreams: 0, concurrentStreams: 1), IReadFilter
{
    private TcpConnectionData? _user;
    private LoopTimer? _idleTimer;
    private bool _everUsed;

    public override uint ActiveStreams => _user is null ? 0u : 1u;

    public override bool ClosingWithIncompleteStream => _user is not null;

    public void Hand(ITcpPoolCallbacks callbacks)
    {
        _idleTimer?.Disarm();
        _user = new TcpConnectionData(this);
        if (!_everUsed)
        {
            _everUsed = true;
            Connection!.ReadDisable(false);
        }
        callbacks.OnPoolReady(_user, Pool.Host);
    }

    /// <summary>The user is done: an open connection waits for the next one.</summary>
    public void Release(TcpConnectionData user)
    {
        if (!ReferenceEquals(_user, user))
        {
            return;
        }
        _user = null;
        Pool.OnStreamClosed(this, delayAttaching: true);
        if (State == PoolClientState.Closed)
        {
            return;
        }
        ArmIdleTimer();
        Pool.ScheduleAttach();
    }

    public override void OnEvent(ConnectionEvent connectionEvent)
    {
        var user = _user;
        if (connectionEvent != ConnectionEvent.Connected)
        {
            _idleTimer?.Disarm();
        }
        base.OnEvent(connectionEvent);
        user?.Callbacks?.OnEvent(connectionEvent);
        if (connectionEvent != ConnectionEvent.Connected && user is not null)
        {
            Release(user);
        }
    }

    public override void OnAboveWriteBufferHighWatermark() => _user?.Callbacks?.OnAboveWriteBufferHighWatermark();

    public override void OnBelowWriteBufferLowWatermark() => _user?.Callbacks?.OnBelowWriteBufferLowWatermark();

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (_user?.Callbacks is { } callbacks)
        {
            callbacks.OnUpstreamData(data, endStream);
        }
        else
        {
            // Bytes while nobody uses the connection belong to nobody.
            Close();
        }
        return FilterStatus.StopIteration;
    }

    protected override void OnConnected(Connection connection)
    {
        connection.ReadDisable(true);
        connection.AddReadFilter(this);
        connection.InitializeReadFilters();
        ArmIdleTimer();
    }

    private void ArmIdleTimer()
    {
        if (Pool.Cluster.Info.TcpIdleTimeout is { Ticks: > 0 } timeout)
        {
            _idleTimer ??= Pool.Loop.CreateTimer(OnIdleTimeout);
            _idleTimer.Arm(timeout);
        }
    }

    private void OnIdleTimeout()
    {
        if (_user is null)
        {
            Pool.Cluster.Traffic.Inc(ClusterStat.UpstreamCxIdleTimeout);
            Close();
        }
    }
}

/// <summary>What the taker of a TCP connection holds.</summary>
internal sealed class TcpConnectionData(TcpPoolClient client) : ITcpConnectionData
{
    public ITcpUpstreamCallbacks? Callbacks { get; private set; }

    public Connection Connection => client.Connection!;

    public void AddUpstreamCallbacks(ITcpUpstreamCallbacks callbacks) => Callbacks = callbacks;

    public void Dispose()
    {
        Callbacks = null;
        client.Release(this);
    }
}
