using System.Numerics;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability;

/// <summary>
/// What is known of one exchange (an HTTP stream, or a connection): source of access logs, metrics and traces. Times are
/// nanoseconds of <see cref="EventLoop.NowNanoseconds"/>; 0 means "did not happen".
/// </summary>
public sealed class StreamInfo
{
    // Five bits a flag, its number plus one, the first one lowest: twelve flags, more than an exchange can collect.
    private const int BitsPerFlag = 5;
    private const int MaxOrdered = 12;

    private ResponseFlags _flags;
    private ulong _flagOrder;
    private int _flagCount;

    public required DateTime StartTime { get; set; }

    public required long StartNanoseconds { get; set; }

    public required ConnectionInfo Downstream { get; set; }

    /// <summary>The downstream connection's own record (connection-wide filter state, dynamic metadata); null if this is it.</summary>
    public StreamInfo? ConnectionStreamInfo { get; set; }

    public ITlsConnectionInfo? DownstreamTls { get; set; }

    public HttpProtocol? Protocol { get; set; }

    public int ResponseCode { get; set; }

    /// <summary>`%RESPONSE_CODE_DETAILS%`; null, where nobody gave any, prints as "-".</summary>
    public string? ResponseCodeDetails { get; set; }

    /// <summary>`%CONNECTION_TERMINATION_DETAILS%`.</summary>
    public string ConnectionTerminationDetails { get; set; } = "";

    /// <summary>The flags that are set; <see cref="SetFlag"/> also keeps their order.</summary>
    public ResponseFlags ResponseFlags
    {
        get => _flags;
        set
        {
            var added = value & ~_flags;
            if ((value & _flags) != _flags)
            {
                // Some were taken back: what stays is remembered in the order of the bits.
                _flagCount = 0;
                _flagOrder = 0;
                added = value;
            }
            _flags = value;
            for (; added != 0; added &= added - 1)
            {
                Remember(BitOperations.TrailingZeroCount((ulong)added));
            }
        }
    }

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

    /// <summary>Why the downstream transport (TLS) failed; empty if it did not. Known to the listener's access log.</summary>
    public string DownstreamTransportFailureReason { get; set; } = "";

    public string DownstreamLocalCloseReason { get; set; } = "";

    public DetectedCloseType DownstreamDetectedCloseType { get; set; }

    /// <summary>Metadata of the filter chain the connection took.</summary>
    public DynamicMetadata? FilterChainMetadata { get; set; }

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

    /// <summary>`:scheme` is to say how the backend is reached (scheme_header_transformation.match_upstream).</summary>
    public bool MatchUpstreamScheme { get; set; }

    public bool DrainConnectionUponCompletion { get; set; }

    /// <summary>The 64-bit random value of the stream: route draws, weighted clusters, fractions.</summary>
    public ulong StreamId { get; set; }

    public bool TraceSampled { get; set; }

    public string TraceId { get; set; } = "";

    public string SpanId { get; set; } = "";

    // Made when first asked for: most exchanges have neither.
    private FilterState? _filterState;
    private DynamicMetadata? _dynamicMetadata;

    public FilterState FilterState
    {
        get => _filterState ??= new FilterState { Parent = ConnectionStreamInfo?.FilterState };
        set => _filterState = value;
    }

    /// <summary>Where to look objects up: does not make the exchange's own state, which most never set.</summary>
    public FilterState KnownFilterState => _filterState ?? ConnectionStreamInfo?.FilterState ?? FilterState;

    public DynamicMetadata DynamicMetadata
    {
        get => _dynamicMetadata ??= new DynamicMetadata();
        set => _dynamicMetadata = value;
    }

    public void SetFlag(ResponseFlags flag) => ResponseFlags |= flag;

    /// <summary>Number of the <paramref name="position"/>th flag in the order they were set (URX before UF …); -1 after the last.</summary>
    public int FlagAt(int position) =>
        position < _flagCount ? (int)((_flagOrder >> (position * BitsPerFlag)) & ((1 << BitsPerFlag) - 1)) - 1 : -1;

    /// <summary>All flags in their order as one number: equal for equal `%RESPONSE_FLAGS%`.</summary>
    internal ulong FlagOrder => _flagOrder;

    public bool HasFlag(ResponseFlags flag) => (ResponseFlags & flag) != 0;

    private void Remember(int flag)
    {
        if (_flagCount < MaxOrdered)
        {
            _flagOrder |= (ulong)(flag + 1) << (_flagCount++ * BitsPerFlag);
        }
    }
}
