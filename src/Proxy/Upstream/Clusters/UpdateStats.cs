using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>Counters of a cluster's membership and of its discovery; what a subscription counts itself is not among them.</summary>
internal enum UpdateStat
{
    MembershipChange,
    AssignmentStale,
    AssignmentTimeoutReceived,
    AssignmentUseCached,
    UpdateAttempt,
    UpdateEmpty,
    UpdateFailure,
    UpdateNoRebuild,
    UpdateSuccess,
}

/// <summary>The names behind <see cref="UpdateStat"/>.</summary>
internal static class UpdateStats
{
    public static readonly StatBlockLayout Layout = new(
    [
        ("membership_change", StatKind.Counter),
        ("assignment_stale", StatKind.Counter),
        ("assignment_timeout_received", StatKind.Counter),
        ("assignment_use_cached", StatKind.Counter),
        ("update_attempt", StatKind.Counter),
        ("update_empty", StatKind.Counter),
        ("update_failure", StatKind.Counter),
        ("update_no_rebuild", StatKind.Counter),
        ("update_success", StatKind.Counter),
    ]);

    public static void Inc(this StatBlock stats, UpdateStat stat) => stats.Inc((int)stat);
}
