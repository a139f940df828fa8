using System.Text;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>statsd over a connection of each loop to a cluster; opened again when there is something to send.</summary>
internal sealed class TcpStatsdSink(
    StatsdFormat format, IClusterManager clusters, string cluster, Counter overflows, int loopCount) : IStatsSink
{
    /// <summary>Bytes that wait for a slow server at most; then the connection is given up.</summary>
    private const long MaxBufferedBytes = 16 * 1024 * 1024;

    private readonly Line?[] _lines = new Line?[loopCount];

    public void Flush(StatsSnapshot snapshot)
    {
        var text = new StringBuilder();
        foreach (var stat in snapshot.Stats)
        {
            if (format.Line(stat) is { } line)
            {
                text.Append(line).Append('\n');
            }
        }
        Send(text.ToString());
    }

    public void OnSample(StoreHistogram histogram, ulong sample) => Send(format.Line(histogram, sample) + '\n');

    private void Send(string text)
    {
        // Samples of other threads have no connection to go by.
        if (EventLoop.Current is { } loop && text.Length > 0)
        {
            (_lines[loop.Index] ??= new Line(this)).Send(text);
        }
    }

    private ITcpConnectionPool? Pool() =>
        clusters.Get(cluster) is { } target && target.ChooseHost(null).Host is { } host
            ? target.TcpPool(host, RoutingPriority.Default, null)
            : null;

    private Counter Overflows => overflows;

    /// <summary>The connection of one loop.</summary>
    private sealed class Line(TcpStatsdSink owner) : ITcpPoolCallbacks, IConnectionCallbacks
    {
        private readonly ByteBuffer _waiting = new();
        private ITcpConnectionData? _data;
        private bool _connecting;

        public void Send(string text)
        {
            if ((_data?.Connection.UnsentBytes ?? 0) + _waiting.Length > MaxBufferedBytes)
            {
                _data?.Connection.Close(ConnectionCloseType.NoFlush);
                _waiting.Drain(_waiting.Length);
                owner.Overflows.Inc();
                return;
            }
            _waiting.Append(Encoding.UTF8.GetBytes(text));
            if (_data is not null)
            {
                _data.Connection.Write(_waiting, false);
            }
            else if (!_connecting)
            {
                Connect();
            }
        }

        public void OnPoolReady(ITcpConnectionData connection, Host host)
        {
            _connecting = false;
            _data = connection;
            connection.Connection.AddCallbacks(this);
            connection.Connection.Write(_waiting, false);
        }

        public void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host)
        {
            _connecting = false;
            _waiting.Drain(_waiting.Length);
        }

        public void OnEvent(ConnectionEvent connectionEvent)
        {
            if (connectionEvent is ConnectionEvent.RemoteClose or ConnectionEvent.LocalClose)
            {
                _data = null;
            }
        }

        public void OnAboveWriteBufferHighWatermark()
        {
        }

        public void OnBelowWriteBufferLowWatermark()
        {
        }

        private void Connect()
        {
            _connecting = true;
            if (owner.Pool() is { } pool)
            {
                pool.NewConnection(this);
            }
            else
            {
                OnPoolFailure(PoolFailureReason.LocalConnectionFailure, "", null);
            }
        }
    }
}
