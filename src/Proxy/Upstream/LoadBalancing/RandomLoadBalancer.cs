namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>RANDOM: uniform, weights do not matter.</summary>
internal sealed class RandomLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options)
    : ZoneAwareLoadBalancer(hosts, environment, options)
{
    private readonly Queue<ulong> _peeked = new();

    protected override HostImpl Pick(HostsSource source, HostImpl[] hosts, ILoadBalancerContext? context)
    {
        var draw = _peeked.TryDequeue(out var peeked) ? peeked : Environment.Random();
        return hosts[(int)(draw % (ulong)hosts.Length)];
    }

    protected override HostImpl? Peek(HostsSource source, HostImpl[] hosts)
    {
        if (_peeked.Count >= hosts.Length)
        {
            return null;
        }
        var draw = Environment.Random();
        _peeked.Enqueue(draw);
        return hosts[(int)(draw % (ulong)hosts.Length)];
    }
}

internal sealed class RandomFactory(LoadBalancerOptions options) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new RandomLoadBalancer(hosts, environment, options);
}
