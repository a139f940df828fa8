namespace MeshProxy.Proxy.Upstream;

/// <summary>Circuit breakers of one priority: exact across loops, one atomic counter a limit a cluster (design 1.5).</summary>
public sealed class ResourceManager(ulong maxConnections, ulong maxPendingRequests, ulong maxRequests, ulong maxRetries, ulong maxConnectionPools)
{
    public Resource Connections { get; } = new(maxConnections);

    public Resource PendingRequests { get; } = new(maxPendingRequests);

    public Resource Requests { get; } = new(maxRequests);

    public Resource Retries { get; } = new(maxRetries);

    public Resource ConnectionPools { get; } = new(maxConnectionPools);
}

/// <summary>A counted limit.</summary>
public sealed class Resource(ulong max)
{
    private long _count;

    public ulong Max { get; } = max;

    public ulong Count => (ulong)Math.Max(0, Interlocked.Read(ref _count));

    public bool CanCreate => Count < Max;

    public void Inc() => Interlocked.Increment(ref _count);

    public void Dec() => Interlocked.Decrement(ref _count);
}
