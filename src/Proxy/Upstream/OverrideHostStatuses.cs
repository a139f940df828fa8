using Envoy.Config.Core.V3;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Health in which a host named by an override (stateful session) may still be chosen.</summary>
internal sealed record OverrideHostStatuses(bool Healthy, bool Degraded, bool Unhealthy, bool Draining)
{
    /// <summary>Envoy's default: UNKNOWN, HEALTHY, DEGRADED.</summary>
    public static readonly OverrideHostStatuses Default = new(true, true, false, false);

    public static OverrideHostStatuses Read(HealthStatusSet? set)
    {
        if (set is not { } given)
        {
            return Default;
        }
        var statuses = new OverrideHostStatuses(false, false, false, false);
        foreach (var status in given.Statuses)
        {
            statuses = status switch
            {
                HealthStatus.Unknown or HealthStatus.Healthy => statuses with { Healthy = true },
                HealthStatus.Degraded => statuses with { Degraded = true },
                HealthStatus.Draining => statuses with { Draining = true },
                _ => statuses with { Unhealthy = true },
            };
        }
        return statuses;
    }

    public bool Allows(HostImpl host) =>
        host.Has(HealthFlags.EdsStatusDraining) ? Draining : host.Health switch
        {
            HostHealth.Healthy => Healthy,
            HostHealth.Degraded => Degraded,
            _ => Unhealthy,
        };
}
