using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The compiled configuration of a router filter, and its statistics.</summary>
internal sealed class RouterConfig : IHttpFilterConfig
{
    public static readonly StatBlockLayout StatLayout = new(
    [
        ("no_cluster", StatKind.Counter),
        ("no_route", StatKind.Counter),
        ("passthrough_internal_redirect_bad_location", StatKind.Counter),
        ("passthrough_internal_redirect_no_route", StatKind.Counter),
        ("passthrough_internal_redirect_predicate", StatKind.Counter),
        ("passthrough_internal_redirect_too_many_redirects", StatKind.Counter),
        ("passthrough_internal_redirect_unsafe_scheme", StatKind.Counter),
        ("rq_direct_response", StatKind.Counter),
        ("rq_overload_local_reply", StatKind.Counter),
        ("rq_redirect", StatKind.Counter),
        ("rq_reset_after_downstream_response_started", StatKind.Counter),
        ("rq_total", StatKind.Counter),
    ]);

    public required StatBlock Stats { get; init; }

    public required IClusterManager Clusters { get; init; }

    public required IRuntime Runtime { get; init; }

    public bool DynamicStats { get; init; } = true;

    public bool SuppressEnvoyHeaders { get; init; }

    public bool RespectExpectedTimeout { get; init; }

    public bool SuppressGrpcFailureCodes { get; init; }

    public bool StartChildSpan { get; init; }

    public string[] StrictCheckHeaders { get; init; } = [];

    public IAccessLog[] UpstreamLogs { get; init; } = [];

    public bool FlushUpstreamLogOnStream { get; init; }

    /// <summary>upstream_http_filters without the codec at their end; for clusters without filters of their own.</summary>
    public IReadOnlyList<HttpFilterEntry> UpstreamFilters { get; init; } = [];

    /// <summary>node.locality.zone; empty when unknown.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Set on the shadow of a mirrored request, which is never shadowed itself.</summary>
    public bool IsShadow { get; init; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new RouterFilter(this));
}

/// <summary>Indices of <see cref="RouterConfig.StatLayout"/>.</summary>
internal enum RouterStat
{
    NoCluster,
    NoRoute,
    RedirectBadLocation,
    RedirectNoRoute,
    RedirectPredicate,
    RedirectTooMany,
    RedirectUnsafeScheme,
    RqDirectResponse,
    RqOverloadLocalReply,
    RqRedirect,
    RqResetAfterDownstreamResponseStarted,
    RqTotal,
}
