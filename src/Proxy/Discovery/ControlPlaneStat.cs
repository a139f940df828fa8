using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Discovery;

/// <summary>`control_plane.*` of a stream, `identifier` apart.</summary>
internal enum ControlPlaneStat
{
    RateLimitEnforced,
    ConnectedState,
    PendingRequests,
}

/// <summary>The names behind <see cref="ControlPlaneStat"/>.</summary>
internal static class ControlPlaneStats
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("rate_limit_enforced", StatKind.Counter),
        ("connected_state", StatKind.Gauge),
        ("pending_requests", StatKind.Gauge),
    ]);
}
