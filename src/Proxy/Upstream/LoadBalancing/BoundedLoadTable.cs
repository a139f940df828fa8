namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Consistent hashing with bounded loads: a host that carries more than its share passes requests on (hash_balance_factor).</summary>
internal sealed class BoundedLoadTable : HashTable
{
    private readonly HashTable _inner;
    private readonly IReadOnlyList<WeightedHost> _hosts;
    private readonly Dictionary<HostImpl, double> _weights = [];
    private readonly uint _factor;

    public BoundedLoadTable(HashTable inner, IReadOnlyList<WeightedHost> hosts, uint factor)
    {
        _inner = inner;
        _hosts = hosts;
        _factor = factor;
        foreach (var (host, weight) in hosts)
        {
            _weights[host] = weight;
        }
    }

    public override HostImpl? Choose(ulong hash, uint attempt)
    {
        if (_inner.Choose(hash, attempt) is not { } host)
        {
            return null;
        }
        var active = ActiveOfCluster(host);
        var best = host;
        var lowest = Overload(host, _weights[host], active);
        if (lowest <= 1.0)
        {
            return host;
        }
        // A walk over all hosts in an order that depends on the hash alone.
        var order = new int[_hosts.Count];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
        var random = new SplitMix64(hash);
        for (var i = 0; i < order.Length; i++)
        {
            var other = i + (int)(random.Next() % (ulong)(order.Length - i));
            (order[i], order[other]) = (order[other], order[i]);
            var (candidate, weight) = _hosts[order[i]];
            var overload = Overload(candidate, weight, active);
            if (overload <= 1.0)
            {
                return candidate;
            }
            if (overload < lowest)
            {
                lowest = overload;
                best = candidate;
            }
        }
        return best;
    }

    private static ulong ActiveOfCluster(HostImpl host) => host.Entry.ActiveRequests;

    private double Overload(HostImpl host, double weight, ulong activeOfCluster)
    {
        var slots = ((activeOfCluster + 1) * _factor + 99) / 100;
        var share = Math.Max(1, (ulong)Math.Ceiling(slots * weight));
        return (double)Volatile.Read(ref host.Stats.RqActive) / share;
    }

    private struct SplitMix64(ulong seed)
    {
        private ulong _state = seed;

        public ulong Next()
        {
            var z = _state += 0x9e3779b97f4a7c15UL;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
            return z ^ (z >> 31);
        }
    }
}
