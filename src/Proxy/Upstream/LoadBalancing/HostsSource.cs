namespace MeshProxy.Proxy.Upstream.LoadBalancing;

internal enum HostsSourceType
{
    AllHosts,
    HealthyHosts,
    DegradedHosts,
    LocalityHealthyHosts,
    LocalityDegradedHosts,
}

/// <summary>Which list of hosts a choice is made from.</summary>
internal readonly record struct HostsSource(int Priority, HostsSourceType Type, int Locality = 0)
{
    public HostImpl[] Hosts(HostSet[] sets)
    {
        var set = sets[Priority];
        return Type switch
        {
            HostsSourceType.AllHosts => set.Hosts,
            HostsSourceType.HealthyHosts => set.Healthy,
            HostsSourceType.DegradedHosts => set.Degraded,
            HostsSourceType.LocalityHealthyHosts => set.HealthyPerLocality.Hosts[Locality],
            _ => set.DegradedPerLocality.Hosts[Locality],
        };
    }
}
