using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>TCP checks: a connect, or bytes sent and awaited.</summary>
internal sealed class TcpCheckSession(HealthChecker checker, HostImpl host, TcpCheckOptions options)
    : HealthCheckSession(checker, host), IConnectionCallbacks, IReadFilter
{
    private readonly ByteBuffer _received = new();
    private Connection? _connection;
    private bool _waiting;

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (_connection is null)
        {
            return;
        }
        if (connectionEvent != ConnectionEvent.Connected)
        {
            _connection = null;
            if (_waiting)
            {
                _waiting = false;
                HandleFailure(HealthCheckFailure.Network);
            }
            return;
        }
        if (options.Receive.IsEmpty)
        {
            // Only the connect is tested.
            _waiting = false;
            CloseConnection();
            HandleSuccess(degraded: false);
            return;
        }
        SendPayload();
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        _received.MoveFrom(data);
        if (_waiting && options.Receive.Matches(_received.ToArray()))
        {
            _waiting = false;
            _received.Clear();
            if (!Checker.Options.ReuseConnection)
            {
                CloseConnection();
            }
            HandleSuccess(degraded: false);
        }
        return FilterStatus.StopIteration;
    }

    protected override void StartCheck()
    {
        _waiting = true;
        _received.Clear();
        if (_connection is not null)
        {
            SendPayload();
            return;
        }
        _connection = CheckConnection.Create(Checker, Host);
        _connection.AddCallbacks(this);
        _connection.AddReadFilter(this);
        _connection.InitializeReadFilters();
        _connection.Connect();
    }

    protected override void AbandonCheck()
    {
        _waiting = false;
        CloseConnection();
    }

    protected override void CloseConnection()
    {
        var connection = _connection;
        _connection = null;
        connection?.Close(ConnectionCloseType.NoFlush);
    }

    private void SendPayload()
    {
        if (options.Send.Length > 0)
        {
            var payload = new ByteBuffer();
            payload.Append(options.Send);
            _connection!.Write(payload, false);
        }
    }
}
