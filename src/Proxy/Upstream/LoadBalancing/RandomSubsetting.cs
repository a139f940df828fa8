namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>random_subsetting: a random few of the hosts, the same as long as they are there, given to another policy.</summary>
internal sealed class RandomSubsettingLoadBalancer : LoadBalancer
{
    private readonly PrioritySet _hosts;
    private readonly PrioritySet _chosen = new();
    private readonly LoadBalancer _child;
    private readonly uint _size;
    private readonly int _seed;
    private HostSet[]? _sets;

    public RandomSubsettingLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, uint size, int seed, ILoadBalancerFactory child)
    {
        _hosts = hosts;
        _size = size;
        _seed = seed;
        _child = child.Create(_chosen, environment);
    }

    public override HostImpl? ChooseHost(ILoadBalancerContext? context)
    {
        var sets = _hosts.Sets;
        if (!ReferenceEquals(sets, _sets))
        {
            _sets = sets;
            _chosen.Update(
                Array.ConvertAll(sets, set => new HostSet(set.Priority, Reduce(set.Hosts), set.LocalityWeights, set.Policy, set.OwnLocality)), [], []);
        }
        return _child.ChooseHost(context);
    }

    // Rendezvous hashing: few hosts change places when one comes or goes.
    private HostImpl[] Reduce(HostImpl[] hosts) => hosts.Length <= _size
        ? hosts
        : [.. hosts.OrderBy(host => System.IO.Hashing.XxHash64.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(host.AddressText), _seed)).Take((int)_size)];
}

internal sealed class RandomSubsettingFactory(uint size, ILoadBalancerFactory child) : ILoadBalancerFactory
{
    // One draw a cluster: all loops use the same few hosts.
    private readonly int _seed = Random.Shared.Next();

    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new RandomSubsettingLoadBalancer(hosts, environment, size, _seed, child);
}
