using Google.Protobuf.WellKnownTypes;
using Metadata = Envoy.Config.Core.V3.Metadata;

namespace MeshProxy.Proxy.Observability;

/// <summary>Turns protobuf structs into <see cref="MetadataValue"/> nodes, once, when configuration is compiled.</summary>
public static class MetadataConversion
{
    /// <summary>filter_metadata of a resource; typed_filter_metadata has no reader in the proxy.</summary>
    public static DynamicMetadata ToMetadata(Metadata? metadata)
    {
        var converted = new DynamicMetadata();
        if (metadata is not { } present)
        {
            return converted;
        }
        foreach (var (name, fields) in present.FilterMetadata)
        {
            foreach (var (key, value) in fields.Fields)
            {
                converted.Set(name, key, ToValue(value));
            }
        }
        return converted;
    }

    public static MetadataValue ToValue(Value value) => value.KindCase switch
    {
        Value.KindOneofCase.NumberValue => MetadataValue.From(value.NumberValue),
        Value.KindOneofCase.StringValue => MetadataValue.From(value.StringValue),
        Value.KindOneofCase.BoolValue => MetadataValue.From(value.BoolValue),
        Value.KindOneofCase.StructValue => ToStruct(value.StructValue!.Value),
        Value.KindOneofCase.ListValue => ToList(value.ListValue!.Value),
        _ => MetadataValue.Null,
    };

    public static MetadataValue.StructNode ToStruct(Struct fields)
    {
        var converted = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var (key, value) in fields.Fields)
        {
            converted[key] = ToValue(value);
        }
        return new MetadataValue.StructNode(converted);
    }

    private static MetadataValue.ListNode ToList(ListValue list)
    {
        var items = new List<MetadataValue>();
        foreach (var value in list.Values)
        {
            items.Add(ToValue(value));
        }
        return new MetadataValue.ListNode(items);
    }
}
