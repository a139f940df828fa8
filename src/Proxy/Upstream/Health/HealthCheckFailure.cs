namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Why a check failed (data.core.v3.HealthCheckFailureType).</summary>
internal enum HealthCheckFailure
{
    Active,

    /// <summary>Traffic said so (x-envoy-immediate-health-check-fail).</summary>
    Passive,
    Network,
    NetworkTimeout,
}
