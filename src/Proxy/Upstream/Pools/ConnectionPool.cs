using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>
/// Connections of one loop to one host for one kind of traffic (Envoy's ConnPoolImplBase): hands out streams of ready
/// connections, queues what must wait, opens connections as the queue and the preconnect ratio ask, within the breakers.
/// </summary>
internal abstract class ConnectionPool
{
    // A turn opens at most three connections: the preconnect ratio is at most 3 (Cluster.PreconnectPolicy).
    private const int MaxConnectsAtOnce = 3;

    private readonly PoolClientList _ready = new();
    private readonly PoolClientList _busy = new();
    private readonly PoolClientList _connecting = new();
    private readonly LinkedList<PendingStream> _pending = new();
    private LinkedList<PendingStream>? _purging;
    private long _connectingAndConnectedCapacity;
    private long _connectingCapacity;
    private uint _activeStreams;
    private bool _draining;
    private bool _readyScheduled;
    private bool _idleTold;

    protected ConnectionPool(ClusterLoop owner, HostImpl host, PoolOptions options, TransportSocketOptions? transportOptions)
    {
        TransportOptions = transportOptions;
        Owner = owner;
        Host = host;
        Options = options;
        Resources = owner.Cluster.Resources(options.Priority);
    }

    public ClusterLoop Owner { get; }

    public EventLoop Loop => Owner.Loop;

    public ClusterEntry Cluster => Owner.Cluster;

    public HostImpl Host { get; }

    public PoolOptions Options { get; }

    /// <summary>What new connections tell their transport socket.</summary>
    public TransportSocketOptions? TransportOptions { get; }

    public ResourceManager Resources { get; }

    public abstract bool IsHttp { get; }

    public bool HasActiveConnections => _pending.Count > 0 || _activeStreams > 0;

    private bool IsIdle => _pending.Count == 0 && _purging is not { Count: > 0 }
        && _ready.IsEmpty && _busy.IsEmpty && _connecting.IsEmpty;

    /// <summary>Told once, when nothing is left: the owner forgets the pool.</summary>
    public Action<ConnectionPool>? OnIdle { get; set; }

    /// <summary>Before a connection connects: half-close, filters.</summary>
    public virtual void PrepareConnection(Connection connection)
    {
    }

    public void CancelPending(PendingStream stream, bool closeExcess)
    {
        if (stream.Node is not { List: { } list } node)
        {
            return;
        }
        list.Remove(node);
        stream.Node = null;
        ReleasePending();
        if (closeExcess && _connecting.First is { } excess && ConnectingCapacityIsExcess(excess))
        {
            excess.Close();
        }
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqCancelled);
        CheckForIdle();
    }

    /// <summary>Opens a connection ahead of need when the cluster's ratio asks (predictive preconnect).</summary>
    public bool MaybePreconnect(double ratio) => TryCreateConnection(ratio) == ConnectResult.Created;

    /// <summary>Idle connections close now, busy ones when their streams end. With <paramref name="forDeletion"/> the pool takes no more.</summary>
    public void Drain(bool forDeletion)
    {
        _draining |= forDeletion;
        foreach (var client in _ready.ToArray())
        {
            if (client.ActiveStreams == 0)
            {
                client.Close();
            }
            else
            {
                Move(client, PoolClientState.Draining);
            }
        }
        if (_pending.Count == 0)
        {
            foreach (var client in _connecting.ToArray())
            {
                client.Close();
            }
        }
        foreach (var client in _busy.ToArray())
        {
            Move(client, PoolClientState.Draining);
        }
        CheckForIdle();
    }

    /// <summary>Closes every connection, whatever runs on it.</summary>
    public void CloseAll()
    {
        foreach (var list in (ReadOnlySpan<PoolClientList>)[_ready, _busy, _connecting])
        {
            foreach (var client in list.ToArray())
            {
                client.Close();
            }
        }
    }

    /// <summary>A client is to take no new streams (GOAWAY, duration).</summary>
    public void DrainClient(PoolClient client)
    {
        if (client.State is PoolClientState.Draining or PoolClientState.Closed)
        {
            return;
        }
        if (client.ActiveStreams == 0)
        {
            client.Close();
        }
        else
        {
            Move(client, PoolClientState.Draining);
        }
    }

    public void OnClientConnected(PoolClient client)
    {
        client.HandshakeCompleted = true;
        _connectingCapacity -= client.CapacityWhenConnecting;
        if (client.State == PoolClientState.Connecting)
        {
            Move(client, client.UnusedCapacity > 0 ? PoolClientState.Ready : PoolClientState.Busy);
        }
        if (client.State == PoolClientState.Ready)
        {
            AttachPending();
        }
        CloseIdleIfDraining();
    }

    public void OnClientClosed(PoolClient client, ConnectionEvent connectionEvent)
    {
        if (client.State == PoolClientState.Closed)
        {
            return;
        }
        var incomplete = client.ClosingWithIncompleteStream;
        if (!client.HandshakeCompleted)
        {
            _connectingCapacity -= client.CapacityWhenConnecting;
        }
        SetCapacity(client, 0);
        client.RemainingStreams = 0;
        CountClosed(connectionEvent, incomplete);
        client.ReleaseResources();
        client.List?.Remove(client);
        client.State = PoolClientState.Closed;
        if (!client.HandshakeCompleted)
        {
            client.HandshakeCompleted = true;
            OnConnectFailed(client, connectionEvent);
        }
        if (_pending.Count > 0)
        {
            TryCreateConnections();
        }
        CheckForIdle();
    }

    public void OnStreamClosed(PoolClient client, bool delayAttaching)
    {
        _activeStreams--;
        var traffic = Cluster.Traffic;
        traffic.Dec(ClusterStat.UpstreamRqActive);
        Interlocked.Decrement(ref Host.Stats.RqActive);
        Owner.ActiveStreams--;
        Host.Release();
        Resources.Requests.Dec();
        RenewCapacity(client);
        if (client.State == PoolClientState.Draining && client.ActiveStreams == 0)
        {
            client.Close();
        }
        else if (client.State == PoolClientState.Busy && client.UnusedCapacity > 0)
        {
            Move(client, PoolClientState.Ready);
            if (!delayAttaching)
            {
                AttachPending();
            }
        }
    }

    /// <summary>Gives waiting requests to connections at the end of this loop turn, so that a close that comes with the response is seen first.</summary>
    public void ScheduleAttach()
    {
        if (_readyScheduled)
        {
            return;
        }
        _readyScheduled = true;
        Loop.Defer(static pool => ((ConnectionPool)pool!).OnScheduledAttach(), this);
    }

    /// <summary>HTTP/2: the peer allows another number of streams than assumed.</summary>
    public void OnConcurrencyChanged(PoolClient client, uint limit)
    {
        client.ConcurrentStreamLimit = limit;
        RenewCapacity(client);
        if (client.State == PoolClientState.Ready && client.UnusedCapacity <= 0)
        {
            Move(client, PoolClientState.Busy);
        }
        else if (client.State == PoolClientState.Busy && client.UnusedCapacity > 0)
        {
            Move(client, PoolClientState.Ready);
            AttachPending();
        }
    }

    public void CloseIdleIfDraining()
    {
        if (!_draining || _pending.Count > 0)
        {
            CheckForIdle();
            return;
        }
        foreach (var client in _ready.ToArray())
        {
            if (client.ActiveStreams == 0)
            {
                client.Close();
            }
        }
        CheckForIdle();
    }

    protected IPoolCancellable? NewStream(AttachContext context)
    {
        Owner.MaybePreconnect(this);
        if (_ready.First is { } client)
        {
            Attach(client, context);
            TryCreateConnections();
            return null;
        }
        if (!Resources.PendingRequests.TryInc())
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamRqPendingOverflow);
            OnPoolFailure(PoolFailureReason.Overflow, "", null, context);
            return null;
        }
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqPendingTotal);
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqPendingActive);
        Interlocked.Increment(ref Host.Stats.RqPendingActive);
        Owner.PendingStreams++;
        var pending = new PendingStream(this, context);
        pending.Node = _pending.AddLast(pending);
        TryCreateConnections();
        return pending.Node is null ? null : pending;
    }

    protected abstract PoolClient CreateClient();

    protected abstract void OnPoolReady(PoolClient client, AttachContext context);

    protected abstract void OnPoolFailure(PoolFailureReason reason, string transportFailure, Host? host, AttachContext context);

    /// <summary>Whether max_requests applies to what this pool carries.</summary>
    protected abstract bool EnforceMaxRequests { get; }

    private void OnConnectFailed(PoolClient client, ConnectionEvent connectionEvent)
    {
        Cluster.Traffic.Inc(ClusterStat.UpstreamCxConnectFail);
        Interlocked.Increment(ref Host.Stats.CxConnectFail);
        var reason = client.TimedOut ? PoolFailureReason.Timeout
            : connectionEvent == ConnectionEvent.RemoteClose ? PoolFailureReason.RemoteConnectionFailure
            : PoolFailureReason.LocalConnectionFailure;
        PurgePending(reason, client.TransportFailureReason);
        if (!_draining)
        {
            TryCreateConnections();
        }
    }

    // The list is set aside first: a retry that lands in this very pool must not be failed with it.
    private void PurgePending(PoolFailureReason reason, string transportFailure)
    {
        if (_pending.Count == 0)
        {
            return;
        }
        var purging = new LinkedList<PendingStream>();
        while (_pending.First is { } node)
        {
            _pending.Remove(node);
            purging.AddLast(node);
        }
        var outer = _purging;
        _purging = purging;
        while (purging.First is { } node)
        {
            purging.Remove(node);
            node.Value.Node = null;
            ReleasePending();
            Cluster.Traffic.Inc(ClusterStat.UpstreamRqPendingFailureEject);
            OnPoolFailure(reason, transportFailure, Host, node.Value.Context);
        }
        _purging = outer;
    }

    private void Attach(PoolClient client, AttachContext context)
    {
        if (!EnforceMaxRequests)
        {
            Resources.Requests.Inc();
        }
        else if (!Resources.Requests.TryInc())
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamRqActiveOverflow);
            OnPoolFailure(PoolFailureReason.Overflow, "", client.Pool.Host, context);
            return;
        }
        var capacity = client.UnusedCapacity;
        client.RemainingStreams--;
        if (client.RemainingStreams == 0)
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamCxMaxRequests);
            Move(client, PoolClientState.Draining);
        }
        else if (capacity == 1)
        {
            Move(client, PoolClientState.Busy);
            SetCapacity(client, 0);
        }
        else
        {
            SetCapacity(client, capacity - 1);
        }
        client.StreamsBegun++;
        _activeStreams++;
        Owner.ActiveStreams++;
        Host.Acquire();
        Interlocked.Increment(ref Host.Stats.RqTotal);
        Interlocked.Increment(ref Host.Stats.RqActive);
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqTotal);
        Cluster.Traffic.Inc(ClusterStat.UpstreamRqActive);
        OnPoolReady(client, context);
    }

    private void AttachPending()
    {
        while (_pending.First is { } node && _ready.First is { } client)
        {
            _pending.Remove(node);
            node.Value.Node = null;
            ReleasePending();
            Attach(client, node.Value.Context);
        }
        if (_pending.Count > 0)
        {
            TryCreateConnections();
        }
    }

    private void OnScheduledAttach()
    {
        _readyScheduled = false;
        AttachPending();
        CloseIdleIfDraining();
    }

    private void ReleasePending()
    {
        Resources.PendingRequests.Dec();
        Cluster.Traffic.Dec(ClusterStat.UpstreamRqPendingActive);
        Interlocked.Decrement(ref Host.Stats.RqPendingActive);
        Owner.PendingStreams--;
    }

    private void TryCreateConnections()
    {
        for (var i = 0; i < MaxConnectsAtOnce && TryCreateConnection(0) == ConnectResult.Created; i++)
        {
        }
    }

    private ConnectResult TryCreateConnection(double clusterRatio)
    {
        if (!ShouldConnect(clusterRatio))
        {
            return ConnectResult.NotNeeded;
        }
        var allowed = Host.CanConnect && Resources.Connections.TryInc();
        if (!allowed)
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamCxOverflow);
            if (!_ready.IsEmpty || !_busy.IsEmpty || !_connecting.IsEmpty)
            {
                return ConnectResult.Limited;
            }
            // One connection a pool is always allowed, so that what waits here can ever be served.
            Resources.Connections.Inc();
        }
        var client = CreateClient();
        client.CapacityWhenConnecting = client.EffectiveConcurrentStreamLimit;
        _connectingCapacity += client.CapacityWhenConnecting;
        SetCapacity(client, client.CapacityWhenConnecting);
        client.State = PoolClientState.Connecting;
        _connecting.AddFirst(client);
        client.Connect();
        return allowed ? ConnectResult.Created : ConnectResult.Limited;
    }

    private bool ShouldConnect(double clusterRatio)
    {
        if (Host.Health != HostHealth.Healthy)
        {
            return _pending.Count > _connectingCapacity;
        }
        return (clusterRatio != 0
                && NeedsConnection(_pending.Count, _activeStreams, _connectingAndConnectedCapacity, clusterRatio, anticipate: true))
            || NeedsConnection(
                _pending.Count, _activeStreams, _connectingAndConnectedCapacity, Cluster.Info.PerUpstreamPreconnectRatio, anticipate: false);
    }

    /// <summary>Whether the streams wanted (waiting, running, and perhaps the next one), times the ratio, exceed what connections can carry.</summary>
    public static bool NeedsConnection(long pending, long active, long capacity, double ratio, bool anticipate) =>
        (pending + active + (anticipate ? 1 : 0)) * ratio > capacity + active;

    private bool ConnectingCapacityIsExcess(PoolClient client) =>
        (_pending.Count + _activeStreams) * Cluster.Info.PerUpstreamPreconnectRatio
        <= _connectingAndConnectedCapacity - client.CapacityWhenConnecting + _activeStreams;

    // What a client contributes to the capacity of its pool and of the cluster on this loop.
    private void SetCapacity(PoolClient client, long streams)
    {
        var change = streams - client.CountedCapacity;
        client.CountedCapacity = streams;
        _connectingAndConnectedCapacity += change;
        Owner.StreamCapacity += change;
    }

    private void RenewCapacity(PoolClient client) =>
        SetCapacity(client, client.State is PoolClientState.Ready or PoolClientState.Busy ? Math.Max(0, client.UnusedCapacity) : 0);

    private void Move(PoolClient client, PoolClientState state)
    {
        client.List?.Remove(client);
        client.State = state;
        RenewCapacity(client);
        var list = state switch
        {
            PoolClientState.Ready => _ready,
            PoolClientState.Connecting => _connecting,
            _ => _busy,
        };
        list.AddFirst(client);
    }

    private void CountClosed(ConnectionEvent connectionEvent, bool incomplete)
    {
        var traffic = Cluster.Traffic;
        var remote = connectionEvent == ConnectionEvent.RemoteClose;
        traffic.Inc(ClusterStat.UpstreamCxDestroy);
        traffic.Inc(remote ? ClusterStat.UpstreamCxDestroyRemote : ClusterStat.UpstreamCxDestroyLocal);
        if (incomplete)
        {
            traffic.Inc(ClusterStat.UpstreamCxDestroyWithActiveRq);
            traffic.Inc(remote
                ? ClusterStat.UpstreamCxDestroyRemoteWithActiveRq
                : ClusterStat.UpstreamCxDestroyLocalWithActiveRq);
        }
    }

    private void CheckForIdle()
    {
        if (IsIdle && !_idleTold)
        {
            _idleTold = true;
            OnIdle?.Invoke(this);
        }
    }

    private enum ConnectResult
    {
        Created,
        NotNeeded,
        Limited,
    }
}
