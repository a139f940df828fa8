namespace MeshProxy.Proxy.Upstream;

/// <summary>Why a host is not simply healthy (Envoy's Host::HealthFlag); several may hold at once.</summary>
[Flags]
public enum HealthFlags
{
    None = 0,
    FailedActiveHealthCheck = 1 << 0,
    FailedOutlierCheck = 1 << 1,
    FailedEdsHealth = 1 << 2,
    DegradedActiveHealthCheck = 1 << 3,
    DegradedEdsHealth = 1 << 4,

    /// <summary>Discovery dropped the host, but active checks still pass.</summary>
    PendingDynamicRemoval = 1 << 5,

    /// <summary>Not yet checked (ignore_new_hosts_until_first_hc).</summary>
    PendingActiveHealthCheck = 1 << 6,
    ExcludedViaImmediateHealthCheckFail = 1 << 7,
    ActiveHealthCheckTimeout = 1 << 8,
    EdsStatusDraining = 1 << 9,
    DegradedOutlierDetection = 1 << 10,

    AnyUnhealthy = FailedActiveHealthCheck | FailedOutlierCheck | FailedEdsHealth | EdsStatusDraining,
    AnyDegraded = DegradedActiveHealthCheck | DegradedEdsHealth | DegradedOutlierDetection,

    /// <summary>Left out of the ratios of panic and priorities.</summary>
    AnyExcluded = PendingActiveHealthCheck | ExcludedViaImmediateHealthCheckFail | EdsStatusDraining,
}
