using MeshProxy.Proxy.Http.Router;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <param name="BalanceFactor">Percent a host may exceed its share (hash_balance_factor); 0 is without bound.</param>
/// <param name="Policy">Hash policy of the balancer itself, in place of the route's; null takes the route's.</param>
internal sealed record ConsistentHashOptions(bool UseHostname, uint BalanceFactor, HashPolicy? Policy = null);

internal sealed record RingHashOptions(ulong MinimumSize, ulong MaximumSize, bool Murmur)
{
    // RingHashLbConfig: minimum_ring_size and maximum_ring_size.
    public const ulong DefaultMinimum = 1024;
    public const ulong DefaultMaximum = 8 * 1024 * 1024;
}
