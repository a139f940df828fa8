using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>
/// Connects to the first address of a host that answers: the next one is tried when one fails or after a delay, all race, the
/// first to be connected (TLS included) wins (Happy Eyeballs, RFC 8305). With one address it is an ordinary connect.
/// </summary>
internal sealed class ConnectAttempts(PoolClient client)
{
    // Envoy's delay between attempts; RFC 8305 5 recommends 250 ms.
    private static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(300);

    private readonly List<Attempt> _attempts = new(1);
    private EndPoint[] _addresses = [];
    private LoopTimer? _timer;
    private int _next;
    private bool _done;

    public string FailureReason { get; private set; } = "";

    public void Start()
    {
        _addresses = client.Pool.Host.Facts.ConnectAddresses(client.Pool.Cluster.Info);
        TryNext();
    }

    /// <summary>Gives up all attempts without a word.</summary>
    public void Abandon()
    {
        _done = true;
        _timer?.Disarm();
        foreach (var attempt in _attempts)
        {
            attempt.Abandon();
        }
        _attempts.Clear();
    }

    private void TryNext()
    {
        var attempt = new Attempt(this, CreateConnection(_addresses[_next++]));
        _attempts.Add(attempt);
        attempt.Connection.Connect();
        if (!_done && _next < _addresses.Length)
        {
            _timer ??= client.Pool.Loop.CreateTimer(OnDelay);
            _timer.Arm(AttemptDelay);
        }
    }

    private void OnDelay()
    {
        if (!_done && _next < _addresses.Length)
        {
            TryNext();
        }
    }

    private Connection CreateConnection(EndPoint address)
    {
        var pool = client.Pool;
        var info = pool.Cluster.Info;
        var socket = pool.Host.TransportSocketFactory.Create(pool.TransportOptions, pool.Host);
        var connection = pool.Cluster.Connector.Create(pool.Loop, address, socket, SocketOptions(address));
        connection.BufferLimit = info.PerConnectionBufferLimitBytes;
        connection.SetStats(pool.Cluster.ConnectionStats);
        info.AddNetworkFilters(connection);
        pool.PrepareConnection(connection);
        return connection;
    }

    // The client's address (original_src) wins over the cluster's own.
    private ClientSocketOptions? SocketOptions(EndPoint address)
    {
        var own = client.Pool.Cluster.Info.SocketOptions(address);
        return client.Pool.Options.Source is { } source && source.Address.AddressFamily == address.AddressFamily
            ? (own ?? new ClientSocketOptions()) with { SourceAddress = source.Address, Mark = source.Mark, Transparent = true }
            : own;
    }

    private void OnConnected(Attempt winner)
    {
        _attempts.Remove(winner);
        Abandon();
        client.Adopt(winner.Connection);
    }

    private void OnFailed(Attempt attempt, ConnectionEvent connectionEvent)
    {
        _attempts.Remove(attempt);
        FailureReason = attempt.Connection.TransportFailureReason;
        if (_next < _addresses.Length)
        {
            TryNext();
        }
        else if (_attempts.Count == 0)
        {
            _done = true;
            client.ConnectFailed(connectionEvent);
        }
    }

    private sealed class Attempt : IConnectionCallbacks
    {
        private readonly ConnectAttempts _owner;
        private bool _ended;

        public Attempt(ConnectAttempts owner, Connection connection)
        {
            _owner = owner;
            Connection = connection;
            connection.AddCallbacks(this);
        }

        public Connection Connection { get; }

        public void Abandon()
        {
            if (!_ended)
            {
                _ended = true;
                Connection.Close(ConnectionCloseType.NoFlush);
            }
        }

        public void OnEvent(ConnectionEvent connectionEvent)
        {
            if (_ended)
            {
                return;
            }
            _ended = true;
            Connection.RemoveCallbacks(this);
            if (connectionEvent == ConnectionEvent.Connected)
            {
                _owner.OnConnected(this);
            }
            else
            {
                _owner.OnFailed(this, connectionEvent);
            }
        }

        public void OnAboveWriteBufferHighWatermark()
        {
        }

        public void OnBelowWriteBufferLowWatermark()
        {
        }
    }
}
