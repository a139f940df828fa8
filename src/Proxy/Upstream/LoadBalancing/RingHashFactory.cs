using System.Globalization;
using System.IO.Hashing;
using System.Text;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>RING_HASH: ketama, each host at many points of a ring in proportion to its weight.</summary>
internal sealed class RingHashFactory(LoadBalancerOptions options, ConsistentHashOptions hashing, RingHashOptions ring)
    : HashFactory(options, hashing)
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("ring_hash_lb.size", StatKind.Gauge),
        ("ring_hash_lb.min_hashes_per_host", StatKind.Gauge),
        ("ring_hash_lb.max_hashes_per_host", StatKind.Gauge),
    ]);

    protected override HashTable BuildTable(IReadOnlyList<WeightedHost> hosts, LoadBalancerEnvironment environment)
    {
        var lowest = 1.0;
        foreach (var host in hosts)
        {
            lowest = Math.Min(lowest, host.Weight);
        }
        // The lightest host gets a whole number of points, so that the others' shares come out even.
        var scale = Math.Min(Math.Ceiling(lowest * ring.MinimumSize) / lowest, ring.MaximumSize);
        var size = (int)Math.Ceiling(scale);
        var entries = new List<(ulong Hash, HostImpl Host)>(size);
        double current = 0;
        double target = 0;
        var fewest = ulong.MaxValue;
        ulong most = 0;
        foreach (var (host, weight) in hosts)
        {
            var key = Encoding.UTF8.GetBytes(KeyOf(host) + "_");
            var buffer = new byte[key.Length + 20];
            key.CopyTo(buffer, 0);
            target += scale * weight;
            ulong index = 0;
            for (; current < target; current++, index++)
            {
                index.TryFormat(buffer.AsSpan(key.Length), out var digits, default, CultureInfo.InvariantCulture);
                var text = buffer.AsSpan(0, key.Length + digits);
                entries.Add((ring.Murmur ? MurmurHash2.Hash(text) : XxHash64.HashToUInt64(text), host));
            }
            fewest = Math.Min(fewest, index);
            most = Math.Max(most, index);
        }
        entries.Sort(static (left, right) => left.Hash.CompareTo(right.Hash));
        var stats = environment.Stats.Block(Layout);
        stats.Set(0, entries.Count);
        stats.Set(1, (long)fewest);
        stats.Set(2, (long)most);
        return new Ring(entries.ToArray());
    }

    private sealed class Ring((ulong Hash, HostImpl Host)[] entries) : HashTable
    {
        public override HostImpl? Choose(ulong hash, uint attempt)
        {
            if (entries.Length == 0)
            {
                return null;
            }
            var low = 0;
            var high = entries.Length;
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (entries[middle].Hash < hash)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }
            var index = low == entries.Length ? 0 : low;
            return entries[(int)((index + (long)attempt) % entries.Length)].Host;
        }
    }
}
