namespace MeshProxy.Proxy.Upstream.Pools;

internal enum PoolClientState
{
    Connecting,

    /// <summary>Takes more streams.</summary>
    Ready,

    /// <summary>As many streams as it takes.</summary>
    Busy,

    /// <summary>Finishes what it has and closes.</summary>
    Draining,
    Closed,
}
