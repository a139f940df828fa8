namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <param name="BalanceFactor">Percent a host may exceed its share (hash_balance_factor); 0 is without bound.</param>
internal sealed record ConsistentHashOptions(bool UseHostname, uint BalanceFactor);

internal sealed record RingHashOptions(ulong MinimumSize, ulong MaximumSize, bool Murmur)
{
    // RingHashLbConfig: minimum_ring_size and maximum_ring_size.
    public const ulong DefaultMinimum = 1024;
    public const ulong DefaultMaximum = 8 * 1024 * 1024;
}
