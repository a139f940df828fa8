namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Weights of hosts as shares of 1, locality weights included (upstream 6, ring hash).</summary>
internal static class NormalisedWeights
{
    public static List<WeightedHost> Of(HostSet set, bool panic, bool localityWeighted)
    {
        var hosts = panic ? set.Hosts : set.Healthy;
        var weighted = new List<WeightedHost>(hosts.Length);
        if (!localityWeighted || set.LocalityWeights is not { Count: > 0 } weights)
        {
            AddAll(weighted, hosts, 1.0);
            return weighted;
        }
        var groups = panic ? set.HostsPerLocality : set.HealthyPerLocality;
        var shares = new double[groups.Count];
        double sum = 0;
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = panic
                ? weights.GetValueOrDefault(groups.Localities[i])
                : LocalityScheduler.EffectiveWeight(set, groups, weights, i);
            sum += shares[i];
        }
        for (var i = 0; i < shares.Length && sum > 0; i++)
        {
            if (shares[i] > 0)
            {
                AddAll(weighted, groups.Hosts[i], shares[i] / sum);
            }
        }
        return weighted;
    }

    private static void AddAll(List<WeightedHost> weighted, HostImpl[] hosts, double share)
    {
        double sum = 0;
        foreach (var host in hosts)
        {
            sum += host.Weight;
        }
        foreach (var host in hosts)
        {
            weighted.Add(new WeightedHost(host, share * host.Weight / sum));
        }
    }
}
