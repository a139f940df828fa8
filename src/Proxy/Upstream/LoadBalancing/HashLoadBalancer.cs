using System.Runtime.CompilerServices;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Base of ring hash and maglev factories: tables are built once a snapshot and shared by the loops.</summary>
internal abstract class HashFactory(LoadBalancerOptions options, ConsistentHashOptions hashing) : ILoadBalancerFactory
{
    // Subsets share a factory, each with hosts of its own.
    private readonly ConditionalWeakTable<PrioritySet, Shared> _tables = [];

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new Balancer(this, hosts, environment, _tables.GetOrCreateValue(hosts));

    protected abstract HashTable BuildTable(IReadOnlyList<WeightedHost> hosts, LoadBalancerEnvironment environment);

    /// <summary>What the host is hashed by.</summary>
    protected string KeyOf(HostImpl host)
    {
        if (host.Metadata.Get("envoy.lb", "hash_key") is Observability.MetadataValue.StringNode { Value.Length: > 0 } key)
        {
            return key.Value;
        }
        return hashing.UseHostname ? host.Hostname : host.AddressText;
    }

    private ulong? HashOf(ILoadBalancerContext? context) =>
        hashing.Policy is { } policy && context?.DownstreamHeaders is { } headers && context.RequestStreamInfo is { } info
            ? policy.Hash(headers, info, null)
            : context?.ComputeHashKey();

    private Snapshot TablesOf(Shared shared, HostSet[] sets, LoadBalancerEnvironment environment)
    {
        var snapshot = Volatile.Read(ref shared.Snapshot);
        if (snapshot is not null && ReferenceEquals(snapshot.Sets, sets))
        {
            return snapshot;
        }
        lock (shared)
        {
            if (shared.Snapshot is { } other && ReferenceEquals(other.Sets, sets))
            {
                return other;
            }
            var threshold = (uint)Math.Min(
                100, environment.Runtime.GetInteger("upstream.healthy_panic_threshold", options.PanicThreshold));
            var loads = PriorityLoads.Compute(sets, threshold);
            var tables = new HashTable?[sets.Length];
            for (var i = 0; i < sets.Length; i++)
            {
                tables[i] = BuildOf(sets[i], loads.Panic[i], environment);
            }
            var built = new Snapshot(sets, loads, tables);
            Volatile.Write(ref shared.Snapshot, built);
            return built;
        }
    }

    private HashTable? BuildOf(HostSet set, bool panic, LoadBalancerEnvironment environment)
    {
        var weighted = NormalisedWeights.Of(set, panic, options.LocalityWeighted);
        if (weighted.Count == 0)
        {
            return null;
        }
        var table = BuildTable(weighted, environment);
        return hashing.BalanceFactor == 0 ? table : new BoundedLoadTable(table, weighted, hashing.BalanceFactor);
    }

    private sealed class Shared
    {
        public Snapshot? Snapshot;
    }

    private sealed record Snapshot(HostSet[] Sets, PriorityLoads Loads, HashTable?[] Tables);

    private sealed class Balancer(HashFactory factory, PrioritySet hosts, LoadBalancerEnvironment environment, Shared shared) : LoadBalancer
    {
        public override HostImpl? ChooseHost(ILoadBalancerContext? context)
        {
            var snapshot = factory.TablesOf(shared, hosts.Sets, environment);
            var hash = factory.HashOf(context) ?? environment.Random();
            var load = context?.RetryPriority is { } retry
                ? retry.DetermineLoad(PriorityLoads.Health(snapshot.Sets), snapshot.Loads.AsLoad)
                : snapshot.Loads.AsLoad;
            var priority = PriorityLoads.Choose(load, hash).Priority;
            if (snapshot.Tables.Length == 0)
            {
                return null;
            }
            if (snapshot.Loads.Panic[priority])
            {
                environment.Traffic.Inc(ClusterStat.LbHealthyPanic);
            }
            if (snapshot.Tables[priority] is not { } table)
            {
                return null;
            }
            HostImpl? host = null;
            var attempts = context?.HostSelectionRetryCount ?? 0;
            for (uint attempt = 0; attempt <= attempts; attempt++)
            {
                host = table.Choose(hash, attempt);
                if (host is null || context is null || !context.ShouldSelectAnotherHost(host))
                {
                    break;
                }
            }
            return host;
        }
    }
}

/// <summary>A host with its share of the table; the shares sum to 1.</summary>
internal readonly record struct WeightedHost(HostImpl Host, double Weight);
