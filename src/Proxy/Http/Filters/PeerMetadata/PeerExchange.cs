namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>What the request carried: only to who sends metadata is metadata sent back.</summary>
internal struct PeerExchange
{
    public bool RequestHadId;
    public bool RequestHadMetadata;
}
