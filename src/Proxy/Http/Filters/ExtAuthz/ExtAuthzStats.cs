using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>Counters of the filter under `http.PREFIX.ext_authz[.PREFIX].`.</summary>
internal sealed class ExtAuthzStats(IStatsScope scope)
{
    private readonly StatBlock _block = scope.Block(Layout);

    /// <summary>In the order of <see cref="Stat"/>.</summary>
    public static readonly StatBlockLayout Layout = new(
    [
        ("ok", StatKind.Counter),
        ("denied", StatKind.Counter),
        ("error", StatKind.Counter),
        ("disabled", StatKind.Counter),
        ("failure_mode_allowed", StatKind.Counter),
        ("invalid", StatKind.Counter),
        ("ignored_dynamic_metadata", StatKind.Counter),
        ("filter_state_name_collision", StatKind.Counter),
        ("omitted_response_headers", StatKind.Counter),
        ("request_header_limits_reached", StatKind.Counter),
        ("response_header_limits_reached", StatKind.Counter),
        ("shadow_denied", StatKind.Counter),
        ("shadow_error", StatKind.Counter),
    ]);

    public enum Stat
    {
        Ok,
        Denied,
        Error,
        Disabled,
        FailureModeAllowed,
        Invalid,
        IgnoredDynamicMetadata,
        FilterStateNameCollision,
        OmittedResponseHeaders,
        RequestHeaderLimitsReached,
        ResponseHeaderLimitsReached,
        ShadowDenied,
        ShadowError,
    }

    public void Inc(Stat stat) => _block.Inc((int)stat);
}
