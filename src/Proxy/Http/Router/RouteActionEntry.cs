using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.RouteAction. Null times are not configured; zero switches off.</summary>
internal sealed class RouteActionEntry
{
    /// <summary>15 s: Envoy's default of RouteAction.timeout.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(15);

    public required ClusterChoice Clusters { get; init; }

    public int ClusterNotFoundCode { get; init; } = 503;

    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    public TimeSpan? IdleTimeout { get; init; }

    public TimeSpan? FlushTimeout { get; init; }

    /// <summary>max_stream_duration is there: the plain timeout is not looked at.</summary>
    public bool UsesNewTimeouts { get; init; }

    public TimeSpan? MaxStreamDuration { get; init; }

    public TimeSpan? GrpcTimeoutHeaderMax { get; init; }

    public TimeSpan? GrpcTimeoutHeaderOffset { get; init; }

    public TimeSpan? MaxGrpcTimeout { get; init; }

    public TimeSpan? GrpcTimeoutOffset { get; init; }

    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    public bool HedgeOnPerTryTimeout { get; init; }

    public IReadOnlyList<MirrorPolicy> Mirrors { get; init; } = [];

    public HashPolicy? Hash { get; init; }

    public RoutingPriority Priority { get; init; }

    public PathRewrite? PathRewrite { get; init; }

    public HostRewrite? HostRewrite { get; init; }

    public bool AutoHostRewrite { get; init; }

    public bool AppendForwardedHost { get; init; }

    public InternalRedirectPolicy? InternalRedirect { get; init; }

    /// <summary>Upgrade types (lower case) switched on or off here.</summary>
    public IReadOnlyDictionary<string, bool> Upgrades { get; init; } = new Dictionary<string, bool>();

    /// <summary>CONNECT is ended here and its payload sent as raw TCP.</summary>
    public ConnectTermination? Connect { get; init; }
}

/// <summary>UpgradeConfig.ConnectConfig.</summary>
/// <param name="AllowPost">The bodies of POST requests are raw TCP as well.</param>
/// <param name="ProxyProtocolVersion">1 or 2; null sends no PROXY header.</param>
internal sealed record ConnectTermination(bool AllowPost, int? ProxyProtocolVersion);
