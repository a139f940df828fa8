using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Upstream.Health;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Which protocol a cluster speaks.</summary>
public enum UpstreamProtocolChoice
{
    Http1,
    Http2,

    /// <summary>use_downstream_protocol_config.</summary>
    Downstream,

    /// <summary>auto_config: ALPN decides.</summary>
    Auto,
}

/// <summary>HttpProtocolOptions of a cluster, compiled. Times are zero when there is no limit.</summary>
public sealed record UpstreamHttpOptions
{
    public UpstreamProtocolChoice Choice { get; init; }

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan MaxConnectionDuration { get; init; }

    /// <summary>Added at random to the duration of each connection.</summary>
    public double MaxConnectionDurationJitterPercent { get; init; }

    public TimeSpan MaxStreamDuration { get; init; }

    public uint MaxRequestsPerConnection { get; init; }

    public bool AutoSni { get; init; }

    public string OverrideAutoSniHeader { get; init; } = "";

    public bool AutoSanValidation { get; init; }

    /// <summary>common_http_protocol_options.max_headers_count of responses; null is the default of 100.</summary>
    public uint? MaxHeadersCount { get; init; }

    /// <summary>Null is the default of 60.</summary>
    public uint? MaxResponseHeadersKb { get; init; }

    /// <summary>retry_policy of the cluster, which goes before the route's; null leaves it to the route.</summary>
    internal RetryPolicy? Retry { get; init; }

    /// <summary>hash_policy of the cluster, which goes before the route's; null leaves it to the route.</summary>
    internal HashPolicy? Hash { get; init; }

    /// <summary>request_mirror_policies of the cluster, which go before the route's; empty leaves them to the route.</summary>
    internal IReadOnlyList<MirrorPolicy> Mirrors { get; init; } = [];

    /// <summary>outlier_detection.error_matcher: which responses are errors; null goes by their status.</summary>
    internal ResponseErrorMatcher? Errors { get; init; }

    /// <summary>http_filters without the codec at their end; null if none are configured.</summary>
    internal IReadOnlyList<Http.ConnectionManager.HttpFilterEntry>? Filters { get; init; }

    public Http.Codec.Http1Settings Http1 { get; init; } = new();

    public Http.Codec.Http2Settings Http2 { get; init; } = new();
}
