namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>pick_first: always the first available host of the list, which may be shuffled once.</summary>
internal sealed class PickFirstLoadBalancer(
    PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options, bool shuffle)
    : ZoneAwareLoadBalancer(hosts, environment, options)
{
    private readonly Dictionary<HostsSource, (HostImpl[] From, HostImpl[] Order)> _orders = [];

    protected override HostImpl Pick(HostsSource source, HostImpl[] hosts, ILoadBalancerContext? context)
    {
        if (!shuffle)
        {
            return hosts[0];
        }
        if (!_orders.TryGetValue(source, out var known) || !ReferenceEquals(known.From, hosts))
        {
            var order = (HostImpl[])hosts.Clone();
            new Random((int)Seed).Shuffle(order);
            _orders[source] = known = (hosts, order);
        }
        return known.Order[0];
    }
}

internal sealed class PickFirstFactory(LoadBalancerOptions options, bool shuffle) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new PickFirstLoadBalancer(hosts, environment, options, shuffle);
}
