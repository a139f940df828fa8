namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Chooses localities by their weight, scaled by how much of each is available (upstream 4.1).</summary>
internal sealed class LocalityScheduler
{
    private static readonly Func<Entry, double> WeightOf = static entry => entry.Weight;

    private readonly EdfScheduler<Entry> _scheduler;

    private LocalityScheduler(EdfScheduler<Entry> scheduler) => _scheduler = scheduler;

    /// <summary>Null when no locality has both weight and eligible hosts.</summary>
    public static LocalityScheduler? Build(HostSet set, HostsPerLocality eligible, ulong seed)
    {
        if (set.LocalityWeights is not { Count: > 0 } weights)
        {
            return null;
        }
        var entries = new List<Entry>();
        for (var i = 0; i < eligible.Count; i++)
        {
            var weight = EffectiveWeight(set, eligible, weights, i);
            if (weight > 0)
            {
                entries.Add(new Entry(i, weight));
            }
        }
        return entries.Count == 0 ? null : new LocalityScheduler(EdfScheduler<Entry>.CreateWithPicks(entries, WeightOf, seed));
    }

    public int? Pick() => _scheduler.PickAndAdd(WeightOf).Index;

    public static double EffectiveWeight(
        HostSet set, HostsPerLocality eligible, IReadOnlyDictionary<Locality, uint> weights, int index)
    {
        var counted = 0;
        foreach (var host in set.HostsPerLocality.Hosts[index])
        {
            if (!host.Has(HealthFlags.AnyExcluded))
            {
                counted++;
            }
        }
        if (counted == 0 || !weights.TryGetValue(eligible.Localities[index], out var weight))
        {
            return 0;
        }
        var available = (double)eligible.Hosts[index].Length / counted;
        return weight * Math.Min(1.0, set.Policy.OverprovisioningFactor / 100.0 * available);
    }

    private readonly record struct Entry(int Index, double Weight);
}
