using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Failures;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>One entry of http_filters, compiled.</summary>
/// <param name="Definition">What it was compiled from, for explanations; null when it comes by discovery.</param>
internal sealed record HttpFilterEntry(string Name, IHttpFilterConfig Config, bool Disabled, Any? Definition = null);

/// <summary>The filters of one kind of upgrade; null chain: the manager's own.</summary>
internal sealed record UpgradeEntry(bool Enabled, IReadOnlyList<HttpFilterEntry>? Filters);

/// <summary>A compiled HttpConnectionManager: immutable, shared by all loops. Zero times are no limit.</summary>
internal sealed record HttpConnectionManagerConfig
{
    public required string StatPrefix { get; init; }

    public required StatBlock Stats { get; init; }

    public required StatBlock ListenerStats { get; init; }

    public required IRuntime Runtime { get; init; }

    public required IDrainDecision Drain { get; init; }

    public required Upstream.IClusterManager Clusters { get; init; }

    public required IRouteProvider Routes { get; init; }

    public required IReadOnlyList<HttpFilterEntry> Filters { get; init; }

    public required ServerCodecFactory Codecs { get; init; }

    public IReadOnlyDictionary<string, UpgradeEntry> Upgrades { get; init; } = new Dictionary<string, UpgradeEntry>();

    public IAccessLog[] AccessLogs { get; init; } = [];

    /// <summary>Hears of failed requests.</summary>
    public required FailureLog Failures { get; init; }

    public bool FlushAccessLogOnNewRequest { get; init; }

    public bool FlushAccessLogOnTunnel { get; init; }

    public TimeSpan AccessLogFlushInterval { get; init; }

    public ListenerFacts? Listener { get; init; }

    public LocalReply LocalReply { get; init; } = LocalReply.Default;

    public ProxyStatus? ProxyStatus { get; init; }

    /// <summary>5 min: Envoy's default of stream_idle_timeout.</summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan? StreamFlushTimeout { get; init; }

    public TimeSpan RequestTimeout { get; init; }

    public TimeSpan RequestHeadersTimeout { get; init; }

    /// <summary>5 s: Envoy's default of drain_timeout.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Percent of the drain timeout that may be added to it at random, so that connections do not end all at once.</summary>
    public double DrainTimeoutJitterPercent { get; init; }

    /// <summary>1 s: Envoy's default of delayed_close_timeout.</summary>
    public TimeSpan DelayedCloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>1 h: Envoy's default of common_http_protocol_options.idle_timeout.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan MaxConnectionDuration { get; init; }

    public TimeSpan MaxStreamDuration { get; init; }

    public bool SafeMaxConnectionDuration { get; init; }

    public uint MaxRequestsPerConnection { get; init; }

    public Config.ServerHeaderTransformation ServerHeader { get; init; }

    public byte[] ServerName { get; init; } = "envoy"u8.ToArray();

    public byte[] Via { get; init; } = [];

    public bool UseRemoteAddress { get; init; }

    public uint XffTrustedHops { get; init; }

    public bool SkipXffAppend { get; init; }

    public bool AppendForwardedPort { get; init; }

    public IReadOnlyList<uint> HttpsPorts { get; init; } = [];

    public IReadOnlyList<uint> HttpPorts { get; init; } = [];

    public OriginalIpDetection[] IpDetections { get; init; } = [];

    /// <summary>Null when internal_address_config is absent: no address is internal then.</summary>
    public InternalAddresses? InternalAddresses { get; init; }

    /// <summary>This machine's first non-loopback IPv4 address: stands for clients on the loopback in x-forwarded-for.</summary>
    public System.Net.IPAddress LocalAddress { get; init; } = System.Net.IPAddress.Loopback;

    public bool AddUserAgent { get; init; }

    public byte[] LocalCluster { get; init; } = [];

    public byte[] LocalNode { get; init; } = [];

    public bool GenerateRequestId { get; init; } = true;

    public bool PreserveExternalRequestId { get; init; }

    public bool AlwaysSetRequestIdInResponse { get; init; }

    public RequestIdExtension RequestId { get; init; } = new(true, true);

    public bool NormalizePath { get; init; }

    public bool MergeSlashes { get; init; }

    public Config.PathWithEscapedSlashesAction EscapedSlashes { get; init; }

    public bool StripTrailingHostDot { get; init; }

    public StripPort StripPort { get; init; }

    public string SchemeToOverwrite { get; init; } = "";

    public bool SchemeMatchUpstream { get; init; }

    public bool Proxy100Continue { get; init; }

    public bool AppendLocalOverload { get; init; }

    public ClientCertificateForwarding ClientCertificates { get; init; } = ClientCertificateForwarding.Sanitize;

    public EarlyHeaderMutation[] EarlyMutations { get; init; } = [];

    public TracingConfig? Tracing { get; init; }

    public RequestHeaderSanitizer Sanitizer => field ??= new RequestHeaderSanitizer(this);

    public required OverloadAction StopAcceptingRequests { get; init; }

    public required OverloadAction DisableKeepAlive { get; init; }
}

internal enum StripPort
{
    None,
    Matching,
    Any,
}
