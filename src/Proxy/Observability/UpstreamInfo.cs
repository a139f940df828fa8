using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability;

/// <summary>Facts of one upstream attempt (Envoy's UpstreamInfo); times in nanoseconds of the loop's clock, 0 if it did not happen.</summary>
public sealed class UpstreamInfo
{
    private FilterState? _filterState;

    public Upstream.Host? Host { get; set; }

    public EndPoint? LocalAddress { get; set; }

    public EndPoint? RemoteAddress { get; set; }

    public ITlsConnectionInfo? Tls { get; set; }

    public ulong ConnectionId { get; set; }

    public HttpProtocol? Protocol { get; set; }

    public string TransportFailureReason { get; set; } = "";

    public string LocalCloseReason { get; set; } = "";

    public DetectedCloseType DetectedCloseType { get; set; }

    /// <summary>The connection ended before the peer had a byte of the request: it may safely be sent again.</summary>
    public bool RequestUndelivered { get; set; }

    public int NumStreams { get; set; }

    public long ConnectStart { get; set; }

    public long ConnectComplete { get; set; }

    public long HandshakeComplete { get; set; }

    /// <summary>When the pool was asked for a stream or connection; start of `%UPSTREAM_CONNECTION_POOL_READY_DURATION%`.</summary>
    public long PoolRequested { get; set; }

    public long PoolReady { get; set; }

    public long FirstTxByteSent { get; set; }

    public long LastTxByteSent { get; set; }

    public long FirstRxByteReceived { get; set; }

    public long LastRxByteReceived { get; set; }

    public long FirstRxBodyReceived { get; set; }

    public long HeaderBytesSent { get; set; }

    public long HeaderBytesReceived { get; set; }

    public long WireBytesSent { get; set; }

    public long WireBytesReceived { get; set; }

    public FilterState FilterState
    {
        get => _filterState ??= new FilterState();
        set => _filterState = value;
    }
}
