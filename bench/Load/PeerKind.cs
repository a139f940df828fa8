namespace MeshProxy.Bench.Load;

/// <summary>The proxies that do the same work.</summary>
internal enum PeerKind
{
    MeshProxy,
    Envoy,
    Nginx,
    HaProxy,
}
