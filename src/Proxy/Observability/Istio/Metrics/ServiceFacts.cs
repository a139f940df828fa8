using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Which service a cluster stands for, as the control plane wrote it into the cluster's metadata.</summary>
/// <param name="Host">Null when the metadata name none.</param>
/// <param name="Name">Null when it follows from the host.</param>
/// <param name="Namespace">Null when they name none.</param>
/// <param name="IsCatchAll">The cluster has no service: its own name is the service's.</param>
internal sealed record ServiceFacts(string? Host, string? Name, string? Namespace, bool IsCatchAll, bool HasService)
{
    public static readonly ServiceFacts None = new(null, null, null, false, false);

    public static ServiceFacts Of(ICluster cluster)
    {
        if (cluster.Name is "BlackHoleCluster" or "PassthroughCluster" or "InboundPassthroughCluster"
            or "InboundPassthroughClusterIpv4" or "InboundPassthroughClusterIpv6")
        {
            return new ServiceFacts(null, cluster.Name, null, true, false);
        }
        if (cluster.Metadata.Get("istio", "services") is not MetadataValue.ListNode { Items: [MetadataValue.StructNode first, ..] })
        {
            return None;
        }
        return new ServiceFacts(Text("host"), Text("name"), Text("namespace"), false, true);

        string? Text(string key) => first.Fields.GetValueOrDefault(key) is MetadataValue.StringNode text ? text.Value : null;
    }
}
