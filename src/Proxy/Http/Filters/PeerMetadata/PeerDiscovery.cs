using System.Net;
using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>One way to learn who the peer is.</summary>
internal abstract class PeerDiscovery
{
    /// <summary>The peer; null when this way knows nothing of it.</summary>
    public abstract WorkloadMetadata? Find(StreamInfo info, HeaderMap headers, ref PeerExchange exchange);

    /// <summary>Takes away what was only meant for this proxy.</summary>
    public virtual void Remove(HeaderMap headers)
    {
    }
}

/// <summary>x-envoy-peer-metadata.</summary>
internal sealed class HeaderDiscovery(bool downstream, PeerCache cache) : PeerDiscovery
{
    public override WorkloadMetadata? Find(StreamInfo info, HeaderMap headers, ref PeerExchange exchange)
    {
        var hasId = headers.TryGet(KnownHeader.EnvoyPeerMetadataId, out var id);
        var hasMetadata = headers.TryGet(KnownHeader.EnvoyPeerMetadata, out var metadata);
        if (downstream)
        {
            exchange.RequestHadId = hasId;
            exchange.RequestHadMetadata = hasMetadata;
        }
        return metadata.IsEmpty ? null : cache.Find(id, metadata);
    }

    public override void Remove(HeaderMap headers)
    {
        headers.Remove(KnownHeader.EnvoyPeerMetadataId);
        headers.Remove(KnownHeader.EnvoyPeerMetadata);
    }
}

/// <summary>Workload discovery by the peer's address.</summary>
internal sealed class AddressDiscovery(bool downstream, IWorkloadDiscovery workloads) : PeerDiscovery
{
    public override WorkloadMetadata? Find(StreamInfo info, HeaderMap headers, ref PeerExchange exchange) =>
        workloads.Find(downstream ? info.Downstream.RemoteAddress : UpstreamPeerAddress.Of(info.Upstream?.Host));
}

/// <summary>W3C baggage of an HBONE client.</summary>
internal sealed class BaggageDiscovery : PeerDiscovery
{
    public override WorkloadMetadata? Find(StreamInfo info, HeaderMap headers, ref PeerExchange exchange) =>
        headers.TryGet("baggage"u8, out var baggage) ? WorkloadMetadataFormat.FromBaggage(Encoding.Latin1.GetString(baggage)) : null;
}

/// <summary>An object that filters of the upstream connection left.</summary>
internal sealed class FilterStateDiscovery(string key) : PeerDiscovery
{
    public override WorkloadMetadata? Find(StreamInfo info, HeaderMap headers, ref PeerExchange exchange) =>
        info.Upstream?.FilterState.Get<WorkloadMetadata>(key);
}

/// <summary>Which address an endpoint's workload has.</summary>
internal static class UpstreamPeerAddress
{
    /// <summary>Its own, or the one behind an internal listener; null for the gateway of another network.</summary>
    public static EndPoint? Of(Upstream.Host? host) =>
        host?.Address switch
        {
            IPEndPoint ip => ip,
            InternalEndPoint when host.Metadata.Get("istio", "double_hbone") is null
                && host.Metadata.Get("envoy.filters.listener.original_dst", "local") is MetadataValue.StringNode local
                && IPEndPoint.TryParse(local.Value, out var address) => address,
            _ => null,
        };
}
