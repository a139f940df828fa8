using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>A connection of health checks to one host: the cluster's transport, but none of its counts.</summary>
internal static class CheckConnection
{
    public static Connection Create(HealthChecker checker, HostImpl host)
    {
        var config = checker.Options.Config;
        var facts = host.Facts;
        var address = facts.HealthCheckAddress ?? facts.Address;
        var factory = config.TransportSocketMatchCriteria is { } criteria
            ? checker.Cluster.Info.TransportSockets.Resolve(Criteria(criteria), new Observability.DynamicMetadata())
            : host.TransportSocketFactory;
        var options = config.TlsOptionsValue is { AlpnProtocols.Count: > 0 } tls
            ? new TransportSocketOptions { ApplicationProtocolListOverride = [.. tls.AlpnProtocols] }
            : null;
        return checker.Environment.Connector.Create(
            checker.Loop, address, factory.Create(options, host), checker.Cluster.Info.SocketOptions(address));
    }

    private static Observability.DynamicMetadata Criteria(Google.Protobuf.WellKnownTypes.Struct criteria)
    {
        var metadata = new Observability.DynamicMetadata();
        foreach (var (key, value) in MetadataEquality.Read(criteria))
        {
            metadata.Set("envoy.transport_socket_match", key, value);
        }
        return metadata;
    }
}

/// <summary>The HTTP client of a check: one request at a time, connection kept between checks.</summary>
internal sealed class CheckHttpClient : IConnectionCallbacks, IReadFilter, IClientConnectionCallbacks
{
    private readonly HealthChecker _checker;
    private readonly HttpProtocol _protocol;
    private readonly Action<CheckHttpClient> _onClosed;
    private IClientConnection? _codec;
    private Action<IClientConnection>? _whenConnected;

    public CheckHttpClient(HealthChecker checker, HostImpl host, HttpProtocol protocol, Action<CheckHttpClient> onClosed)
    {
        _checker = checker;
        _protocol = protocol;
        _onClosed = onClosed;
        Connection = CheckConnection.Create(checker, host);
        Connection.AddCallbacks(this);
    }

    public Connection Connection { get; }

    public HttpProtocol PeerProtocol => _codec?.Protocol ?? _protocol;

    /// <summary>The peer will not take another request.</summary>
    public bool GoingAway { get; private set; }

    /// <summary>Gives the codec once connected, at once if it is already.</summary>
    public void WhenConnected(Action<IClientConnection> use)
    {
        if (_codec is { } codec)
        {
            use(codec);
            return;
        }
        _whenConnected = use;
        Connection.Connect();
    }

    public void Close() => Connection.Close(ConnectionCloseType.NoFlush);

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent == ConnectionEvent.Connected)
        {
            _codec = _checker.Environment.Codecs.Create(_protocol, Connection, this, _checker.Cluster.Entry);
            Connection.AddReadFilter(this);
            Connection.InitializeReadFilters();
            var use = _whenConnected;
            _whenConnected = null;
            use?.Invoke(_codec);
            return;
        }
        if (connectionEvent == ConnectionEvent.RemoteClose && _protocol != HttpProtocol.Http2)
        {
            _codec?.Dispatch(new ByteBuffer());
        }
        _onClosed(this);
    }

    public void OnAboveWriteBufferHighWatermark() => _codec?.OnUnderlyingConnectionAboveWriteBufferHighWatermark();

    public void OnBelowWriteBufferLowWatermark() => _codec?.OnUnderlyingConnectionBelowWriteBufferLowWatermark();

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (_codec!.Dispatch(data) is not null)
        {
            Close();
        }
        return FilterStatus.StopIteration;
    }

    public void OnGoAway(bool isError) => GoingAway = true;

    public void OnMaxStreamsChanged(uint maxStreams)
    {
    }
}
