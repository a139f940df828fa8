using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>One way to tell the peer who this proxy serves.</summary>
internal abstract class PeerPropagation
{
    public abstract void Inject(ICluster? cluster, HeaderMap headers, in PeerExchange exchange);
}

/// <summary>x-envoy-peer-metadata and its id.</summary>
/// <param name="downstream">To the client: only what it sent itself is answered.</param>
/// <param name="skipExternal">Not to clusters outside the mesh.</param>
internal sealed class HeaderPropagation(bool downstream, string id, WorkloadMetadata local, bool skipExternal) : PeerPropagation
{
    private const string PassthroughCluster = "PassthroughCluster";

    private readonly byte[] _id = Encoding.Latin1.GetBytes(id);
    private readonly byte[] _value = Encoding.ASCII.GetBytes(
        Convert.ToBase64String(WorkloadMetadataFormat.ToStruct(local).Message.ToBytes()));

    public override void Inject(ICluster? cluster, HeaderMap headers, in PeerExchange exchange)
    {
        if (cluster is not null && Skips(cluster))
        {
            return;
        }
        if (!downstream || exchange.RequestHadId)
        {
            headers.Set(KnownHeader.EnvoyPeerMetadataId, _id);
        }
        if (!downstream || exchange.RequestHadMetadata)
        {
            headers.Set(KnownHeader.EnvoyPeerMetadata, _value);
        }
    }

    private bool Skips(ICluster cluster) =>
        (skipExternal && (cluster.Name == PassthroughCluster || IsTrue(cluster, "external"))) || IsTrue(cluster, "disable_mx");

    private static bool IsTrue(ICluster cluster, string key) =>
        cluster.Metadata.Get("istio", key) is MetadataValue.BoolNode { Value: true };
}

/// <summary>W3C baggage.</summary>
internal sealed class BaggagePropagation(WorkloadMetadata local) : PeerPropagation
{
    private readonly byte[] _value = Encoding.Latin1.GetBytes(WorkloadMetadataFormat.ToBaggage(local));

    public override void Inject(ICluster? cluster, HeaderMap headers, in PeerExchange exchange) => headers.Set("baggage"u8, _value);
}
