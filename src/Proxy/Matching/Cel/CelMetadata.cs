using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Metadata as CEL values.</summary>
internal static class CelMetadata
{
    public static CelValue Of(MetadataValue value) =>
        value switch
        {
            MetadataValue.BoolNode boolean => CelValue.Of(boolean.Value),
            MetadataValue.NumberNode number => CelValue.Of(number.Value),
            MetadataValue.StringNode text => CelValue.Of(text.Value),
            MetadataValue.ListNode list => CelValue.Of([.. list.Items.Select(Of)]),
            MetadataValue.StructNode fields => Of(fields.Fields),
            _ => CelValue.Null,
        };

    public static CelValue Of(IReadOnlyDictionary<string, MetadataValue> fields) =>
        CelValue.Of(new CelObject(name => fields.TryGetValue(name, out var value) ? Of(value) : null, () => fields.Keys));

    /// <summary>The message core.v3.Metadata: `filter_metadata[namespace][key]`.</summary>
    public static CelValue Of(DynamicMetadata metadata) =>
        CelValue.Of(new CelObject(
            field => field == "filter_metadata"
                ? CelValue.Of(new CelObject(
                    name => metadata.Get(name) is { } fields ? Of(fields) : null,
                    () => metadata.Namespaces))
                : null,
            () => ["filter_metadata"]));

    /// <summary>The message core.v3.Node: id, cluster, metadata and locality.</summary>
    public static CelValue Of(Envoy.Config.Core.V3.Node node)
    {
        var fields = new Dictionary<string, MetadataValue>
        {
            ["id"] = MetadataValue.From(node.Id),
            ["cluster"] = MetadataValue.From(node.Cluster),
            ["metadata"] = MetadataConversion.ToStruct(node.Metadata ?? Google.Protobuf.WellKnownTypes.Struct.New()),
            ["locality"] = new MetadataValue.StructNode(new Dictionary<string, MetadataValue>
            {
                ["region"] = MetadataValue.From(node.Locality?.Region ?? ""),
                ["zone"] = MetadataValue.From(node.Locality?.Zone ?? ""),
                ["sub_zone"] = MetadataValue.From(node.Locality?.SubZone ?? ""),
            }),
        };
        return Of(fields);
    }
}
