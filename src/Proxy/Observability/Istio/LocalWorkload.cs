using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>What this proxy's node says of its own workload.</summary>
internal static class LocalWorkload
{
    private static readonly HashSet<string> NoLabels = [];

    /// <summary>As peers are told.</summary>
    public static WorkloadMetadata Of(FactoryContext context, IReadOnlySet<string>? additionalLabels = null) =>
        WorkloadMetadataFormat.FromStruct(
            context.Node.Metadata ?? Struct.New(), additionalLabels ?? NoLabels,
            context.Node.Locality?.Region ?? "", context.Node.Locality?.Zone ?? "");

    /// <summary>As this proxy's own metrics have it: the labels `app` and `version` alone count, as in Istio.</summary>
    public static WorkloadMetadata ForMetrics(Node node)
    {
        var metadata = node.Metadata ?? Struct.New();
        var told = WorkloadMetadataFormat.FromStruct(metadata, NoLabels);
        var labels = metadata.Fields.TryGetValue("LABELS", out var given) ? given.StructValue : null;
        return new WorkloadMetadata
        {
            Workload = told.Workload,
            Namespace = told.Namespace,
            Cluster = told.Cluster,
            CanonicalName = told.CanonicalName,
            CanonicalRevision = told.CanonicalRevision,
            App = Label("app"),
            Version = Label("version"),
        };

        string Label(string name) => labels is { } map && map.Fields.TryGetValue(name, out var value) ? value.StringValue : "";
    }
}
