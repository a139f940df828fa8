namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>ROUND_ROBIN.</summary>
internal sealed class RoundRobinLoadBalancer(PrioritySet hosts, LoadBalancerEnvironment environment, LoadBalancerOptions options)
    : EdfLoadBalancer(hosts, environment, options)
{
    protected override HostImpl PickUnweighted(SourceState state, HostImpl[] hosts) =>
        hosts[(int)(state.Index++ % (ulong)hosts.Length)];

    protected override HostImpl PeekUnweighted(SourceState state, HostImpl[] hosts) =>
        hosts[(int)((state.Index + (ulong)state.Peeked) % (ulong)hosts.Length)];
}

internal sealed class RoundRobinFactory(LoadBalancerOptions options) : ILoadBalancerFactory
{
    public LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment) =>
        new RoundRobinLoadBalancer(hosts, environment, options);
}
