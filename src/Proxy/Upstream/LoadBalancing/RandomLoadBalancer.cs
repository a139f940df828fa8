namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>RANDOM: uniform, weights do not matter.</summary>
internal sealed class RandomLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options)
    : ZoneAwareLoadBalancer(hosts, environment, options)
{
    private ulong? _peeked;

    protected override HostImpl Pick(HostsSource source, HostImpl[] hosts, ILoadBalancerContext? context)
    {
        var draw = _peeked ?? Environment.Random();
        _peeked = null;
        return hosts[(int)(draw % (ulong)hosts.Length)];
    }

    protected override HostImpl? Peek(HostsSource source, HostImpl[] hosts)
    {
        _peeked ??= Environment.Random();
        return hosts.Length == 0 ? null : hosts[(int)(_peeked.Value % (ulong)hosts.Length)];
    }
}

internal sealed class RandomFactory(LoadBalancerOptions options) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new RandomLoadBalancer(hosts, environment, options);
}
