using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// A raw TCP connection in the place of an HTTP stream, for CONNECT that is terminated here: headers become the connection,
/// the body its bytes, and connecting the 200 (Envoy's TcpUpstream).
/// </summary>
internal sealed class TcpUpstream(
    IHttpPoolCallbacks pool, IResponseDecoder decoder, ConnectionInfo downstream, ConnectTermination termination)
    : IRequestEncoder, IHttpStream, ITcpPoolCallbacks, ITcpUpstreamCallbacks
{
    private readonly List<IStreamCallbacks> _callbacks = [];
    private ITcpConnectionData? _data;
    private bool _upstreamDone;
    private bool _ended;

    public IHttpStream Stream => this;

    public uint BufferLimit => Connection.BufferLimit;

    public string ResponseDetails => "";

    public Connection Connection => _data!.Connection;

    public StreamByteCounts Bytes { get; } = new();

    public IPoolCancellable? Start(ITcpConnectionPool connections) => connections.NewConnection(this);

    public void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host) =>
        pool.OnPoolFailure(reason, transportFailureReason, host);

    public void OnPoolReady(ITcpConnectionData connection, Host host)
    {
        _data = connection;
        connection.Connection.HalfCloseEnabled = true;
        connection.AddUpstreamCallbacks(this);
        pool.OnPoolReady(this, host, new UpstreamInfo
        {
            Host = host,
            LocalAddress = connection.Connection.Info.LocalAddress,
            RemoteAddress = connection.Connection.Info.RemoteAddress,
            Tls = connection.Connection.Tls,
            ConnectionId = connection.Connection.Id,
            PoolReady = EventLoop.NowNanoseconds,
        }, HttpProtocol.Http11);
    }

    public string? EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (termination.ProxyProtocolVersion is { } version)
        {
            var header = new ByteBuffer();
            ProxyProtocolHeader.Write(header, version, downstream.RemoteAddress, downstream.LocalAddress);
            Connection.Write(header, false);
        }
        var response = HeaderMap.Rent();
        response.Set(KnownHeader.Status, 200);
        decoder.DecodeHeaders(response, false);
        return null;
    }

    public void EncodeData(ByteBuffer data, bool endStream)
    {
        if (!_ended)
        {
            Bytes.WireBytesSent += data.Length;
            Connection.Write(data, endStream);
        }
    }

    public void EncodeTrailers(HeaderMap trailers)
    {
        if (!_ended)
        {
            Connection.Write(new ByteBuffer(), true);
        }
    }

    public void EnableTcpTunneling()
    {
    }

    public void OnUpstreamData(ByteBuffer data, bool endStream)
    {
        if (_ended)
        {
            return;
        }
        Bytes.WireBytesReceived += data.Length;
        _upstreamDone |= endStream;
        decoder.DecodeData(data, endStream);
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected || _ended)
        {
            return;
        }
        _ended = true;
        if (_upstreamDone)
        {
            return;
        }
        foreach (var callbacks in _callbacks.ToArray())
        {
            callbacks.OnResetStream(StreamResetReason.ConnectionTermination, "");
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
        foreach (var callbacks in _callbacks.ToArray())
        {
            callbacks.OnAboveWriteBufferHighWatermark();
        }
    }

    public void OnBelowWriteBufferLowWatermark()
    {
        foreach (var callbacks in _callbacks.ToArray())
        {
            callbacks.OnBelowWriteBufferLowWatermark();
        }
    }

    public void AddCallbacks(IStreamCallbacks callbacks) => _callbacks.Add(callbacks);

    public void RemoveCallbacks(IStreamCallbacks callbacks) => _callbacks.Remove(callbacks);

    public void ResetStream(StreamResetReason reason)
    {
        if (!_ended)
        {
            _ended = true;
            Connection.Close(ConnectionCloseType.NoFlush, "tcp_upstream_reset");
        }
    }

    public void ReadDisable(bool disable)
    {
        if (Connection.State == ConnectionState.Open)
        {
            Connection.ReadDisable(disable);
        }
    }

    public void SetFlushTimeout(TimeSpan timeout)
    {
    }
}
