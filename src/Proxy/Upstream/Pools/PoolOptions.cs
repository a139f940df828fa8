using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Which protocol the connections of a pool speak.</summary>
internal enum PoolProtocol
{
    Http1,
    Http2,

    /// <summary>ALPN decides, connection by connection.</summary>
    Alpn,
    Tcp,
}

/// <summary>What must be equal for two requests to share the connections of a pool; the key beside the host.</summary>
/// <param name="SharingKey">What of the transport options has to be equal.</param>
/// <param name="Source">Where the connections come from, if a client's address stands for the proxy's.</param>
/// <param name="DownstreamConnection">Set when each downstream connection has pools of its own.</param>
internal sealed record PoolOptions(
    RoutingPriority Priority, PoolProtocol Protocol, TransportSocketOptions? SharingKey,
    ulong DownstreamConnection, UpstreamSource? Source)
{
    public bool Matches(
        RoutingPriority priority, PoolProtocol protocol, TransportSocketOptions? sharingKey, ulong downstreamConnection,
        UpstreamSource? source) =>
        Priority == priority && Protocol == protocol && DownstreamConnection == downstreamConnection
        && Equals(SharingKey, sharingKey) && Equals(Source, source);
}
