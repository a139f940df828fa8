namespace MeshProxy.Proxy.Upstream;

/// <summary>The hosts of one priority at one moment, sorted by health; immutable, replaced whole.</summary>
internal sealed class HostSet
{
    /// <summary>Envoy's default overprovisioning factor, percent.</summary>
    public const uint DefaultOverprovisioningFactor = 140;

    private HostsPerLocality? _hostsPerLocality;
    private HostsPerLocality? _healthyPerLocality;
    private HostsPerLocality? _degradedPerLocality;

    public HostSet(
        uint priority, HostImpl[] hosts, IReadOnlyDictionary<Locality, uint>? localityWeights, HostSetPolicy policy, Locality? ownLocality)
    {
        Priority = priority;
        Hosts = hosts;
        LocalityWeights = localityWeights;
        Policy = policy;
        OwnLocality = ownLocality;
        var healthy = new List<HostImpl>(hosts.Length);
        List<HostImpl>? degraded = null;
        var excluded = 0;
        foreach (var host in hosts)
        {
            if (host.Has(HealthFlags.AnyExcluded))
            {
                excluded++;
            }
            var health = host.Health;
            if (health == HostHealth.Healthy)
            {
                healthy.Add(host);
            }
            else if (health == HostHealth.Degraded)
            {
                (degraded ??= []).Add(host);
            }
        }
        ExcludedCount = excluded;
        Healthy = healthy.Count == hosts.Length ? hosts : healthy.ToArray();
        Degraded = degraded?.ToArray() ?? [];
    }

    public uint Priority { get; }

    public HostImpl[] Hosts { get; }

    public HostImpl[] Healthy { get; }

    public HostImpl[] Degraded { get; }

    public int ExcludedCount { get; }

    /// <summary>Weights of localities that discovery gave; null when it gave none.</summary>
    public IReadOnlyDictionary<Locality, uint>? LocalityWeights { get; }

    public HostSetPolicy Policy { get; }

    /// <summary>The node's own locality, whose hosts come first in the lists per locality.</summary>
    public Locality? OwnLocality { get; }

    public HostsPerLocality HostsPerLocality => _hostsPerLocality ??= HostsPerLocality.Group(Hosts, OwnLocality);

    public HostsPerLocality HealthyPerLocality =>
        _healthyPerLocality ??= HostsPerLocality.Filter(static host => host.Health == HostHealth.Healthy);

    public HostsPerLocality DegradedPerLocality =>
        _degradedPerLocality ??= HostsPerLocality.Filter(static host => host.Health == HostHealth.Degraded);

    /// <summary>The same hosts sorted again after flags changed.</summary>
    public HostSet Resorted() => new(Priority, Hosts, LocalityWeights, Policy, OwnLocality);
}

/// <summary>ClusterLoadAssignment.Policy as far as ratios go.</summary>
/// <param name="OverprovisioningFactor">Percent.</param>
internal sealed record HostSetPolicy(uint OverprovisioningFactor, bool WeightedPriorityHealth)
{
    public static readonly HostSetPolicy Default = new(HostSet.DefaultOverprovisioningFactor, false);
}
