using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability;

/// <summary>
/// What is known of one exchange (an HTTP stream, or a connection): source of access logs, metrics and traces. Times are
/// nanoseconds of <see cref="EventLoop.NowNanoseconds"/>; 0 means "did not happen".
/// </summary>
public sealed class StreamInfo
{
    public required DateTime StartTime { get; set; }

    public required long StartNanoseconds { get; set; }

    public required ConnectionInfo Downstream { get; set; }

    /// <summary>The downstream connection's own record (connection-wide filter state, dynamic metadata); null if this is it.</summary>
    public StreamInfo? ConnectionStreamInfo { get; set; }

    public ITlsConnectionInfo? DownstreamTls { get; set; }

    public HttpProtocol? Protocol { get; set; }

    public int ResponseCode { get; set; }

    /// <summary>`%RESPONSE_CODE_DETAILS%`; empty prints as "-".</summary>
    public string ResponseCodeDetails { get; set; } = "";

    /// <summary>`%CONNECTION_TERMINATION_DETAILS%`.</summary>
    public string ConnectionTerminationDetails { get; set; } = "";

    public ResponseFlags ResponseFlags { get; set; }

    public long BytesReceived { get; set; }

    public long BytesSent { get; set; }

    public long DownstreamHeaderBytesReceived { get; set; }

    public long DownstreamHeaderBytesSent { get; set; }

    public long DownstreamWireBytesReceived { get; set; }

    public long DownstreamWireBytesSent { get; set; }

    public long LastDownstreamRxByteReceived { get; set; }

    public long FirstDownstreamTxByteSent { get; set; }

    public long LastDownstreamTxByteSent { get; set; }

    public long DownstreamHandshakeComplete { get; set; }

    public long RequestComplete { get; set; }

    /// <summary>The last upstream attempt; null if none was made.</summary>
    public UpstreamInfo? Upstream { get; set; }

    public int AttemptCount { get; set; }

    /// <summary>The route's name; empty if none.</summary>
    public string RouteName { get; set; } = "";

    public string VirtualHostName { get; set; } = "";

    public string VirtualClusterName { get; set; } = "";

    /// <summary>The cluster routed to, observability name; null before routing.</summary>
    public Upstream.ICluster? UpstreamCluster { get; set; }

    /// <summary>Set by the HCM once the route is known (for metadata in logs and filters).</summary>
    public Http.Router.Route? Route { get; set; }

    public string FilterChainName { get; set; } = "";

    public Listeners.ListenerFacts? Listener { get; set; }

    public bool IsHealthCheck { get; set; }

    public bool IsShadow { get; set; }

    public bool DrainConnectionUponCompletion { get; set; }

    /// <summary>The 64-bit random value of the stream: route draws, weighted clusters, fractions.</summary>
    public ulong StreamId { get; set; }

    public string? RequestId { get; set; }

    public bool TraceSampled { get; set; }

    public string TraceId { get; set; } = "";

    public string SpanId { get; set; } = "";

    public FilterState FilterState { get; set; } = new();

    public DynamicMetadata DynamicMetadata { get; set; } = new();

    public void SetFlag(ResponseFlags flag) => ResponseFlags |= flag;

    public bool HasFlag(ResponseFlags flag) => (ResponseFlags & flag) != 0;
}
