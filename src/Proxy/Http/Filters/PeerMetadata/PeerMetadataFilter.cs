using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;

namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>Compiled; shared by all loops.</summary>
internal sealed record PeerMetadataConfig(
    PeerDiscovery[] DownstreamDiscovery, PeerDiscovery[] UpstreamDiscovery, PeerPropagation[] DownstreamPropagation,
    PeerPropagation[] UpstreamPropagation, bool SharedWithUpstream) : IHttpFilterConfig
{
    public void CreateFilter(IFilterChainBuilder chain) => chain.AddFilter(new PeerMetadataFilter(this));
}

/// <summary>One request: learns who the client is, tells the server; learns who the server is, tells the client.</summary>
internal sealed class PeerMetadataFilter(PeerMetadataConfig config) : PassThroughFilter
{
    private PeerExchange _exchange;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (config.DownstreamDiscovery.Length > 0)
        {
            Discover(config.DownstreamDiscovery, headers, WorkloadMetadata.DownstreamPeer, WorkloadMetadata.DownstreamPeerObject);
        }
        foreach (var method in config.UpstreamPropagation)
        {
            method.Inject(Decoder.ClusterInfo, headers, _exchange);
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (config.UpstreamDiscovery.Length > 0)
        {
            Discover(config.UpstreamDiscovery, headers, WorkloadMetadata.UpstreamPeer, WorkloadMetadata.UpstreamPeerObject);
        }
        foreach (var method in config.DownstreamPropagation)
        {
            method.Inject(Decoder.StreamInfo.UpstreamCluster, headers, _exchange);
        }
        return FilterHeadersStatus.Continue;
    }

    // The first way that knows the peer is believed; what others would have read is taken away all the same.
    private void Discover(PeerDiscovery[] methods, HeaderMap headers, string key, string objectKey)
    {
        var info = Decoder.StreamInfo;
        foreach (var method in methods)
        {
            if (method.Find(info, headers, ref _exchange) is { } peer)
            {
                Keep(info.FilterState, peer, key, objectKey);
                break;
            }
        }
        foreach (var method in methods)
        {
            method.Remove(headers);
        }
    }

    private void Keep(FilterState state, WorkloadMetadata peer, string key, string objectKey)
    {
        if (state.Get(key) is null)
        {
            var sharing = config.SharedWithUpstream ? FilterStateSharing.Once : FilterStateSharing.None;
            state.Set(key, peer, FilterStateLifeSpan.FilterChain, sharing);
            state.Set(objectKey, peer, FilterStateLifeSpan.FilterChain, sharing);
        }
    }
}
