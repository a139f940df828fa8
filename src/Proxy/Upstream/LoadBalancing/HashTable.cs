namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>A consistent hash over the hosts of one priority; immutable, shared by all loops.</summary>
internal abstract class HashTable
{
    /// <param name="attempt">Grows with each host selection retry, to reach another host.</param>
    public abstract HostImpl? Choose(ulong hash, uint attempt);
}
