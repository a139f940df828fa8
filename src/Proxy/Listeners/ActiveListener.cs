using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>
/// A listener at work on one loop (Envoy's ActiveTcpListener): accepts, runs listener filters, chooses the filter chain and
/// owns the connections until they end.
/// </summary>
internal sealed class ActiveListener
{
    private readonly WorkerListeners _worker;
    private readonly StatBlock _workerStats;
    private readonly List<ListenSocket> _sockets = [];
    private readonly LinkedList<ActiveConnection> _connections = new();
    private readonly LinkedList<PendingConnection> _pending = new();

    public ActiveListener(WorkerListeners worker, CompiledListener listener)
    {
        _worker = worker;
        Config = listener;
        _workerStats = listener.Scope.Scope(worker.Loop.Name).Block(ListenerStat.WorkerLayout);
    }

    /// <summary>Replaced by an in-place update; connections keep the chain they have.</summary>
    public CompiledListener Config { get; private set; }

    public EventLoop Loop => _worker.Loop;

    public WorkerListeners Worker => _worker;

    public int ConnectionCount => _connections.Count;

    /// <summary>No longer takes connections, also not by hand-over.</summary>
    public bool Stopped { get; private set; }

    public void Listen(IEnumerable<ListenSocket> sockets, bool paused)
    {
        foreach (var socket in sockets)
        {
            socket.MaxPerEvent = Config.MaxConnectionsPerSocketEvent;
            socket.OnBatch = count => Config.Stats.Record(ListenerStat.ConnectionsAcceptedPerSocketEvent, count);
            _sockets.Add(socket);
            socket.Pause(paused);
            socket.Attach(Loop, OnAccept);
        }
    }

    /// <summary>Takes the place of the configuration; the sockets stay.</summary>
    public void Replace(CompiledListener listener) => Config = listener;

    public void StopAccepting()
    {
        Stopped = true;
        foreach (var socket in _sockets)
        {
            socket.Close();
        }
        _sockets.Clear();
    }

    /// <summary>Gives up the sockets without closing them, for a listener that takes them over.</summary>
    public IReadOnlyList<ListenSocket> ReleaseSockets()
    {
        Stopped = true;
        var sockets = _sockets.ToArray();
        _sockets.Clear();
        return sockets;
    }

    public void PauseAccepting(bool paused)
    {
        foreach (var socket in _sockets)
        {
            socket.Pause(paused);
        }
    }

    /// <summary>Closes the connections of the chains given; all when null.</summary>
    public void CloseConnections(IReadOnlySet<CompiledFilterChain>? chains)
    {
        for (var node = _connections.First; node is not null;)
        {
            var next = node.Next;
            if (chains is null || chains.Contains(node.Value.Chain))
            {
                node.Value.Connection.Close(ConnectionCloseType.NoFlush, "listener_drained");
            }
            node = next;
        }
        if (chains is null)
        {
            while (_pending.First is { } pending)
            {
                pending.Value.Abandon();
            }
        }
    }

    private void OnAccept(AcceptedSocket socket)
    {
        var holdsGlobal = !Config.IgnoreGlobalConnectionLimit;
        if (TryAdmit(holdsGlobal) is { } refused)
        {
            Config.Stats.Inc(refused);
            new SocketIoHandle(socket.FileDescriptor).Close(false);
            return;
        }
        var info = new ConnectionInfo
        {
            LocalAddress = socket.LocalAddress,
            DirectLocalAddress = socket.LocalAddress,
            RemoteAddress = socket.RemoteAddress,
            DirectRemoteAddress = socket.RemoteAddress,
            ConnectionId = StreamConnection.NextId(),
        };
        Take(new SocketIoHandle(socket.FileDescriptor), info, ConnectionFactory.NewStreamInfo(Loop, info),
            Config.UseOriginalDestination, holdsGlobal);
    }

    // The statistic of what refuses the connection; null lets it in, with its limits taken.
    private int? TryAdmit(bool holdsGlobal)
    {
        if (!Config.BypassOverload && _worker.RejectsConnections())
        {
            return ListenerStat.CxOverloadReject;
        }
        if (holdsGlobal && !_worker.GlobalLimit.TryTake())
        {
            return ListenerStat.GlobalCxOverflow;
        }
        if (Config.Limit.TryTake())
        {
            return null;
        }
        ReleaseGlobal(holdsGlobal);
        return ListenerStat.CxOverflow;
    }

    /// <summary>Takes the server's end of an in-memory stream, opened by a cluster that names this internal listener.</summary>
    public void TakeInternal(IIoHandle io, ConnectionInfo info, StreamInfo streamInfo)
    {
        if (Config.Limit.TryTake())
        {
            Take(io, info, streamInfo, Config.UseOriginalDestination, holdsGlobal: false);
            return;
        }
        Config.Stats.Inc(ListenerStat.CxOverflow);
        io.Close(false);
    }

    // The limits of the connection are already taken.
    private void Take(IIoHandle io, ConnectionInfo info, StreamInfo streamInfo, bool handOff, bool holdsGlobal)
    {
        streamInfo.Listener = Config.Facts;
        var pending = new PendingConnection(this, io, info, streamInfo, handOff, holdsGlobal);
        pending.Node = _pending.AddLast(pending);
        Config.Stats.Inc(ListenerStat.PreCxActive);
        pending.Start();
    }

    /// <summary>Listener filters are done: hand over, or find the chain and begin.</summary>
    public void Promote(PendingConnection pending)
    {
        Forget(pending);
        if (pending.HandOff && pending.Info.LocalAddressRestored
            && _worker.FindByAddress(pending.Info.LocalAddress) is { } other && other != this)
        {
            Config.Limit.Release();
            other.Config.Limit.Take();
            other.Take(pending.Io, pending.Info, pending.StreamInfo, handOff: false, pending.HoldsGlobal);
            return;
        }
        if (pending.Info.DetectedTransportProtocol.Length == 0)
        {
            pending.Info.DetectedTransportProtocol = "raw_buffer";
        }
        Begin(pending);
    }

    public void Abandon(PendingConnection pending)
    {
        Forget(pending);
        Drop(pending);
    }

    public void OnConnectionClosed(ActiveConnection connection, LinkedListNode<ActiveConnection> node)
    {
        _connections.Remove(node);
        var stats = Config.Stats;
        stats.Dec(ListenerStat.CxActive);
        stats.Inc(ListenerStat.CxDestroy);
        stats.Record(ListenerStat.CxLengthMs,
            (EventLoop.NowNanoseconds - connection.Connection.StreamInfo.StartNanoseconds) / 1_000_000);
        _workerStats.Dec(ListenerStat.WorkerCxActive);
        Config.Limit.Release();
        ReleaseGlobal(connection.HoldsGlobal);
        var info = connection.Connection.StreamInfo;
        if (info.ResponseFlags == 0 && (info.DownstreamTransportFailureReason.Length > 0 || info.ConnectionTerminationDetails.Length > 0))
        {
            Config.Failures?.Add(info);
        }
        if (Config.AccessLogs.Count > 0)
        {
            // The filters still learn of the end: what they note belongs into the record.
            Loop.Defer(() => LogEnd(connection.Connection.StreamInfo));
        }
    }

    private void Begin(PendingConnection pending)
    {
        var chain = Config.FindFilterChain(pending.Info, pending.StreamInfo);
        if (chain is null || ReferenceEquals(chain, CompiledFilterChain.Nowhere))
        {
            Refuse(pending);
            return;
        }
        pending.StreamInfo.FilterChainName = chain.Name;
        pending.StreamInfo.FilterChainMetadata = chain.Metadata;
        var connection = StreamConnection.CreateServer(
            Loop, pending.Io, chain.TransportSocket.Create(), pending.Info, pending.StreamInfo);
        connection.BufferLimit = Config.BufferLimit;
        var active = new ActiveConnection(this, connection, chain, pending.HoldsGlobal);
        Config.Stats.Inc(ListenerStat.CxTotal);
        Config.Stats.Inc(ListenerStat.CxActive);
        _workerStats.Inc(ListenerStat.WorkerCxTotal);
        _workerStats.Inc(ListenerStat.WorkerCxActive);
        active.Node = _connections.AddLast(active);
        connection.AddCallbacks(active);
        if (chain.TransportSocketConnectTimeout > TimeSpan.Zero)
        {
            connection.SetConnectTimeout(chain.TransportSocketConnectTimeout, () => OnTransportTimeout(connection));
        }
        foreach (var filter in chain.Filters)
        {
            filter.CreateFilter(connection);
        }
        if (chain.Filters.Count == 0 || !connection.InitializeReadFilters())
        {
            if (connection.State == ConnectionState.Open && chain.Filters.Count == 0)
            {
                connection.Close(ConnectionCloseType.NoFlush);
            }
        }
        connection.Start();
    }

    private void OnTransportTimeout(Connection connection)
    {
        Config.Stats.Inc(ListenerStat.CxTransportSocketConnectTimeout);
        connection.StreamInfo.ConnectionTerminationDetails = "transport socket timeout was reached";
        connection.Close(ConnectionCloseType.NoFlush);
    }

    private void Refuse(PendingConnection pending)
    {
        Config.Stats.Inc(ListenerStat.NoFilterChainMatch);
        pending.StreamInfo.SetFlag(ResponseFlags.NoRouteFound);
        pending.StreamInfo.ResponseCodeDetails = "filter_chain_not_found";
        Config.Failures?.Add(pending.StreamInfo);
        Drop(pending);
    }

    private void Drop(PendingConnection pending)
    {
        pending.Io.Close(reset: pending.HasUnread);
        Config.Limit.Release();
        ReleaseGlobal(pending.HoldsGlobal);
        LogEnd(pending.StreamInfo);
    }

    private void ReleaseGlobal(bool held)
    {
        if (held)
        {
            _worker.GlobalLimit.Release();
        }
    }

    private void Forget(PendingConnection pending)
    {
        if (pending.Node is { } node)
        {
            _pending.Remove(node);
            pending.Node = null;
            Config.Stats.Dec(ListenerStat.PreCxActive);
        }
    }

    private void LogEnd(StreamInfo streamInfo)
    {
        foreach (var log in Config.AccessLogs)
        {
            log.Log(new LogContext(null, null, null, streamInfo));
        }
    }
}
