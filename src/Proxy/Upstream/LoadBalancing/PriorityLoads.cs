namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>How traffic is shared between priorities, and which of them panic; computed once a snapshot (upstream 3).</summary>
internal sealed class PriorityLoads
{
    private PriorityLoads(uint[] healthy, uint[] degraded, bool[] panic)
    {
        Healthy = healthy;
        Degraded = degraded;
        Panic = panic;
        AsLoad = new PriorityLoad(healthy, degraded);
    }

    /// <summary>Percent of traffic to the healthy hosts of each priority.</summary>
    public uint[] Healthy { get; }

    public uint[] Degraded { get; }

    public bool[] Panic { get; }

    public PriorityLoad AsLoad { get; }

    public static PriorityLoads Compute(HostSet[] sets, uint panicThreshold)
    {
        var count = sets.Length;
        var healthyAvailability = new uint[count];
        var degradedAvailability = new uint[count];
        uint total = 0;
        for (var i = 0; i < count; i++)
        {
            (healthyAvailability[i], degradedAvailability[i]) = Availability(sets[i]);
            total += healthyAvailability[i] + degradedAvailability[i];
        }
        total = Math.Min(100, total);

        var panic = new bool[count];
        var totalPanic = true;
        for (var i = 0; i < count; i++)
        {
            panic[i] = total < 100 && IsInPanic(sets[i], panicThreshold);
            totalPanic &= panic[i];
        }
        var healthy = new uint[count];
        var degraded = new uint[count];
        if (totalPanic && count > 0)
        {
            ShareByHosts(sets, healthy);
        }
        else if (total == 0)
        {
            if (count > 0)
            {
                healthy[0] = 100;
            }
        }
        else
        {
            var remaining = Distribute(healthyAvailability, healthy, total, 100);
            remaining = Distribute(degradedAvailability, degraded, total, remaining);
            GiveRest(healthyAvailability, healthy, degradedAvailability, degraded, remaining);
        }
        return new PriorityLoads(healthy, degraded, panic);
    }

    /// <summary>What a retry priority plugin sees.</summary>
    public static PriorityHealth[] Health(HostSet[] sets) => Array.ConvertAll(
        sets, static set => new PriorityHealth(set.Hosts.Length, set.Healthy.Length, set.Degraded.Length, set.ExcludedCount));

    /// <summary>Walks the buckets to the one that holds <paramref name="hash"/> (1..100): priority and whether its degraded hosts.</summary>
    public static (int Priority, bool Degraded) Choose(PriorityLoad load, ulong hash)
    {
        var draw = (uint)(hash % 100) + 1;
        uint sum = 0;
        for (var i = 0; i < load.Healthy.Count; i++)
        {
            sum += load.Healthy[i];
            if (draw <= sum)
            {
                return (i, false);
            }
        }
        for (var i = 0; i < load.Degraded.Count; i++)
        {
            sum += load.Degraded[i];
            if (draw <= sum)
            {
                return (i, true);
            }
        }
        return (0, false);
    }

    public static bool IsInPanic(HostSet set, uint panicThreshold)
    {
        var counted = set.Hosts.Length - set.ExcludedCount;
        var available = counted == 0 ? 0.0 : 100.0 * (set.Healthy.Length + set.Degraded.Length) / counted;
        return available < panicThreshold;
    }

    private static (uint Healthy, uint Degraded) Availability(HostSet set)
    {
        ulong healthy, degraded, total;
        if (set.Policy.WeightedPriorityHealth)
        {
            healthy = SumWeights(set.Healthy);
            degraded = SumWeights(set.Degraded);
            total = SumWeights(set.Hosts, counted: true);
        }
        else
        {
            healthy = (ulong)set.Healthy.Length;
            degraded = (ulong)set.Degraded.Length;
            total = (ulong)(set.Hosts.Length - set.ExcludedCount);
        }
        return total == 0
            ? (0, 0)
            : ((uint)Math.Min(100, set.Policy.OverprovisioningFactor * healthy / total),
                (uint)Math.Min(100, set.Policy.OverprovisioningFactor * degraded / total));
    }

    private static ulong SumWeights(HostImpl[] hosts, bool counted = false)
    {
        ulong sum = 0;
        foreach (var host in hosts)
        {
            if (!counted || !host.Has(HealthFlags.AnyExcluded))
            {
                sum += host.Weight;
            }
        }
        return sum;
    }

    private static uint Distribute(uint[] availability, uint[] load, uint total, uint remaining)
    {
        for (var i = 0; i < load.Length; i++)
        {
            load[i] = Math.Min(remaining, availability[i] * 100 / total);
            remaining -= load[i];
        }
        return remaining;
    }

    // What integer division left over goes to the first priority that can take any.
    private static void GiveRest(uint[] healthyAvailability, uint[] healthy, uint[] degradedAvailability, uint[] degraded, uint rest)
    {
        var first = Array.FindIndex(healthyAvailability, value => value > 0);
        if (first >= 0)
        {
            healthy[first] += rest;
            return;
        }
        first = Array.FindIndex(degradedAvailability, value => value > 0);
        if (first >= 0)
        {
            degraded[first] += rest;
        }
    }

    private static void ShareByHosts(HostSet[] sets, uint[] load)
    {
        ulong all = 0;
        foreach (var set in sets)
        {
            all += (ulong)set.Hosts.Length;
        }
        if (all == 0)
        {
            load[0] = 100;
            return;
        }
        uint remaining = 100;
        for (var i = 0; i < sets.Length; i++)
        {
            load[i] = (uint)(100 * (ulong)sets[i].Hosts.Length / all);
            remaining -= load[i];
        }
        load[Array.FindIndex(sets, set => set.Hosts.Length > 0)] += remaining;
    }
}
