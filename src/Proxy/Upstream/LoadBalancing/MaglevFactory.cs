using System.IO.Hashing;
using System.Text;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>MAGLEV: a prime-sized table that each host fills in its own permutation, in proportion to its weight.</summary>
internal sealed class MaglevFactory(LoadBalancerOptions options, ConsistentHashOptions hashing, uint tableSize)
    : HashFactory(options, hashing)
{
    /// <summary>MaglevLbConfig.table_size; the paper's small table.</summary>
    public const ulong DefaultTableSize = 65537;

    private static readonly StatBlockLayout Layout = new(
    [
        ("maglev_lb.min_entries_per_host", StatKind.Gauge),
        ("maglev_lb.max_entries_per_host", StatKind.Gauge),
    ]);

    protected override HashTable BuildTable(IReadOnlyList<WeightedHost> hosts, LoadBalancerEnvironment environment)
    {
        var entries = new Entry[hosts.Count];
        double heaviest = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            var key = KeyOf(hosts[i].Host);
            var bytes = Encoding.UTF8.GetBytes(key);
            entries[i] = new Entry(
                hosts[i].Host, key, hosts[i].Weight, XxHash64.HashToUInt64(bytes, 0) % tableSize,
                (XxHash64.HashToUInt64(bytes, 1) % (tableSize - 1)) + 1);
            heaviest = Math.Max(heaviest, hosts[i].Weight);
        }
        // The order of hosts must not matter: every proxy builds the same table.
        Array.Sort(entries, static (left, right) => string.CompareOrdinal(left.Key, right.Key));
        var table = Fill(entries, heaviest);
        CountEntries(entries, environment);
        return new Table(table, tableSize);
    }

    private HostImpl[] Fill(Entry[] entries, double heaviest)
    {
        var table = new HostImpl[tableSize];
        uint filled = 0;
        for (var round = 1; filled < tableSize; round++)
        {
            for (var i = 0; i < entries.Length && filled < tableSize; i++)
            {
                ref var entry = ref entries[i];
                if (round * entry.Weight < entry.Target)
                {
                    continue;
                }
                entry.Target += heaviest;
                var slot = entry.NextSlot(tableSize);
                while (table[slot] is not null)
                {
                    slot = entry.NextSlot(tableSize);
                }
                table[slot] = entry.Host;
                entry.Count++;
                filled++;
            }
        }
        return table;
    }

    private static void CountEntries(Entry[] entries, LoadBalancerEnvironment environment)
    {
        var fewest = long.MaxValue;
        long most = 0;
        foreach (var entry in entries)
        {
            fewest = Math.Min(fewest, entry.Count);
            most = Math.Max(most, entry.Count);
        }
        var stats = environment.Stats.Block(Layout);
        stats.Set(0, fewest);
        stats.Set(1, most);
    }

    private struct Entry(HostImpl host, string key, double weight, ulong offset, ulong skip)
    {
        private ulong _next;

        public HostImpl Host { get; } = host;

        public string Key { get; } = key;

        public double Weight { get; } = weight;

        public double Target { get; set; }

        public long Count { get; set; }

        public ulong NextSlot(uint tableSize) => (offset + (skip * _next++)) % tableSize;
    }

    private sealed class Table(HostImpl[] table, uint tableSize) : HashTable
    {
        public override HostImpl Choose(ulong hash, uint attempt)
        {
            if (attempt > 0)
            {
                hash ^= ulong.MaxValue - attempt + 1;
            }
            return table[hash % tableSize];
        }
    }
}
