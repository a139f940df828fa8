namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Chooses hosts for one loop; one instance a loop and cluster, so it keeps plain state.</summary>
internal abstract class LoadBalancer
{
    public abstract HostImpl? ChooseHost(ILoadBalancerContext? context);

    /// <summary>The host that the next choice will likely give, for predictive preconnect; null when the policy cannot tell.</summary>
    public virtual HostImpl? PeekAnotherHost(ILoadBalancerContext? context) => null;
}

/// <summary>A compiled policy. Shared by all loops; makes an instance a loop.</summary>
internal interface ILoadBalancerFactory
{
    LoadBalancer Create(PrioritySet hosts, LoadBalancerEnvironment environment);
}

/// <summary>What a balancer may use of its cluster and of the process.</summary>
/// <param name="Traffic">Statistics of the cluster.</param>
/// <param name="LocalHosts">Hosts of the cluster this proxy belongs to (local_cluster_name); null when there is none.</param>
/// <param name="Now">Monotonic milliseconds.</param>
internal sealed record LoadBalancerEnvironment(
    Observability.StatBlock Traffic, Observability.IStatsScope Stats, Configuration.IRuntime Runtime, Func<PrioritySet?> LocalHosts,
    Func<long> Now, Func<ulong> Random);
