using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream.LoadBalancing;
using MeshProxy.Proxy.Upstream.Pools;

namespace MeshProxy.Proxy.Upstream;

/// <summary>What one loop holds of a cluster (Envoy's thread-local ClusterEntry): its balancer and its pools. Made at the first call on that loop.</summary>
internal sealed class ClusterLoop
{
    // As many connections ahead as one new stream may ask for (Envoy's maybePreconnect).
    private const int MaxPreconnects = 3;

    private readonly Dictionary<HostImpl, List<ConnectionPool>> _pools = [];

    public ClusterLoop(ClusterEntry cluster, EventLoop loop)
    {
        Cluster = cluster;
        Loop = loop;
        Balancer = cluster.CreateBalancer(loop);
    }

    public ClusterEntry Cluster { get; }

    public EventLoop Loop { get; }

    public LoadBalancer Balancer { get; }

    /// <summary>Over all pools of this loop: streams waiting, running, and what connections could carry; for predictive preconnect.</summary>
    public long PendingStreams { get; set; }

    public long ActiveStreams { get; set; }

    public long StreamCapacity { get; set; }

    public HttpConnectionPool? HttpPool(
        HostImpl host, RoutingPriority priority, HttpProtocol? downstreamProtocol, ILoadBalancerContext? context) =>
        (HttpConnectionPool?)FindOrMake(host, priority, Cluster.Info.PoolProtocolFor(downstreamProtocol), context);

    public TcpConnectionPool? TcpPool(HostImpl host, RoutingPriority priority, ILoadBalancerContext? context) =>
        (TcpConnectionPool?)FindOrMake(host, priority, PoolProtocol.Tcp, context);

    /// <summary>Before a stream begins: perhaps connect to where the next one will go.</summary>
    public void MaybePreconnect(ConnectionPool current)
    {
        var ratio = Cluster.Info.PredictivePreconnectRatio;
        if (ratio <= 1.0)
        {
            return;
        }
        for (var i = 0; i < MaxPreconnects; i++)
        {
            if (!ConnectionPool.NeedsConnection(PendingStreams, ActiveStreams, StreamCapacity, ratio, anticipate: true)
                || Balancer.PeekAnotherHost(null) is not { } host
                || FindOrMake(host, current) is not { } pool
                || !pool.MaybePreconnect(ratio))
            {
                return;
            }
        }
    }

    public void DrainHost(HostImpl host) => ForHost(host, static pool => pool.Drain(forDeletion: true));

    public void CloseHost(HostImpl host) => ForHost(host, static pool => pool.CloseAll());

    /// <summary>close_connections_on_host_health_failure: TCP connections end, HTTP ones finish what they have.</summary>
    public void OnHostFailed(HostImpl host) => ForHost(
        host,
        static pool =>
        {
            if (pool.IsHttp)
            {
                pool.Drain(forDeletion: false);
            }
            else
            {
                pool.CloseAll();
            }
        });

    public void DrainAll(bool forDeletion)
    {
        foreach (var pools in _pools.Values.ToArray())
        {
            foreach (var pool in pools.ToArray())
            {
                pool.Drain(forDeletion);
            }
        }
    }

    private void ForHost(HostImpl host, Action<ConnectionPool> act)
    {
        if (_pools.TryGetValue(host, out var pools))
        {
            foreach (var pool in pools.ToArray())
            {
                act(pool);
            }
        }
    }

    private ConnectionPool? FindOrMake(HostImpl host, RoutingPriority priority, PoolProtocol protocol, ILoadBalancerContext? context)
    {
        var transport = TransportOptions(host.TransportSocketFactory, context);
        var sharingKey = transport is null ? null : host.TransportSocketFactory.SharingKey(transport);
        var downstream = Cluster.Info.PoolPerDownstreamConnection ? context?.DownstreamConnection?.Id ?? 0 : 0;
        var source = context?.DownstreamConnection?.Info.UpstreamSource;
        if (_pools.TryGetValue(host, out var pools))
        {
            foreach (var pool in pools)
            {
                if (pool.Options.Matches(priority, protocol, sharingKey, downstream, source))
                {
                    return pool;
                }
            }
        }
        return Make(host, new PoolOptions(priority, protocol, sharingKey, downstream, source), transport);
    }

    // The downstream's addresses are added only for transports that send them: others share connections without them.
    private static TransportSocketOptions? TransportOptions(IUpstreamTransportSocketFactory factory, ILoadBalancerContext? context)
    {
        var options = context?.UpstreamTransportSocketOptions;
        if (!factory.SendsDownstreamAddresses || options?.ProxyProtocol is not null || context?.DownstreamConnection is not { } downstream)
        {
            return options;
        }
        return (options ?? new TransportSocketOptions()) with
        {
            ProxyProtocol = new ProxyProtocolData(downstream.Info.RemoteAddress, downstream.Info.LocalAddress, []),
        };
    }

    private ConnectionPool? FindOrMake(HostImpl host, ConnectionPool like)
    {
        if (_pools.TryGetValue(host, out var pools) && pools.Find(pool => pool.Options == like.Options) is { } found)
        {
            return found;
        }
        return Make(host, like.Options, like.TransportOptions);
    }

    private ConnectionPool? Make(HostImpl host, PoolOptions options, TransportSocketOptions? transport)
    {
        var limit = Cluster.Resources(options.Priority).ConnectionPools;
        if (!limit.TryInc())
        {
            Cluster.Traffic.Inc(ClusterStat.UpstreamCxPoolOverflow);
            return null;
        }
        ConnectionPool pool = options.Protocol == PoolProtocol.Tcp
            ? new TcpConnectionPool(this, host, options, transport)
            : new HttpConnectionPool(this, host, options, transport);
        pool.OnIdle = Forget;
        if (!_pools.TryGetValue(host, out var pools))
        {
            _pools[host] = pools = new List<ConnectionPool>(1);
        }
        pools.Add(pool);
        return pool;
    }

    private void Forget(ConnectionPool pool)
    {
        if (_pools.TryGetValue(pool.Host, out var pools) && pools.Remove(pool))
        {
            Cluster.Resources(pool.Options.Priority).ConnectionPools.Dec();
            if (pools.Count == 0)
            {
                _pools.Remove(pool.Host);
            }
        }
    }
}
