using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Transport;

/// <summary>Where a connection counts its bytes: a block of the owner (cluster, HCM, tcp_proxy) and the indices in it; -1 for none.</summary>
public sealed record ConnectionStats(
    StatBlock Block, int ReadTotal, int ReadBuffered, int WriteTotal, int WriteBuffered, int DelayedCloseTimeouts = -1);
