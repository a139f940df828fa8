using System.Net;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.LoadBalancing;

namespace MeshProxy.Proxy.Tests.Upstream;

/// <summary>Hosts and balancers without a cluster around them.</summary>
internal static class HostFactory
{
    public static HostImpl Host(
        int port, uint weight = 1, HealthFlags flags = HealthFlags.None, Locality? locality = null, DynamicMetadata? metadata = null) =>
        new(null!, new HostDescription
        {
            Address = new IPEndPoint(IPAddress.Loopback, port),
            Weight = weight,
            EdsHealth = flags,
            Locality = locality ?? Locality.None,
            Metadata = metadata,
        }, now: 0);

    public static HostImpl[] Hosts(params uint[] weights) => [.. weights.Select((weight, i) => Host(i + 1, weight))];

    public static HostSet Set(params HostImpl[] hosts) => new(0, hosts, null, HostSetPolicy.Default, null);

    public static PrioritySet Priorities(params HostSet[] sets)
    {
        var priorities = new PrioritySet();
        priorities.Update(sets, [], []);
        return priorities;
    }

    /// <summary>Random numbers count up from <paramref name="seed"/>.</summary>
    public static LoadBalancerEnvironment Environment(ulong seed = 0)
    {
        var store = new StatsStore(1);
        var scope = store.Root.Scope("cluster.c");
        var next = seed;
        return new LoadBalancerEnvironment(
            scope.Block(ClusterStats.Layout), scope, new FixedRuntime(), static () => null, static () => 0, () => next++);
    }

    public static int[] Ports(LoadBalancer balancer, int count, ILoadBalancerContext? context = null) =>
        [.. Enumerable.Range(0, count).Select(_ => balancer.ChooseHost(context) is { } host ? ((IPEndPoint)host.Address).Port : 0)];
}
