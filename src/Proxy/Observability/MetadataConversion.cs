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

    /// <summary>The message of what was converted, for dumps and logs.</summary>
    public static Metadata ToMessage(DynamicMetadata metadata)
    {
        var message = Metadata.New();
        foreach (var name in metadata.Namespaces)
        {
            message.FilterMetadata.Set(name, ToMessage(metadata.Get(name)!));
        }
        return message;
    }

    private static Value ToMessage(MetadataValue node)
    {
        var value = Value.New();
        switch (node)
        {
            case MetadataValue.BoolNode flag:
                value.BoolValue = flag.Value;
                break;
            case MetadataValue.NumberNode number:
                value.NumberValue = number.Value;
                break;
            case MetadataValue.StringNode text:
                value.StringValue = text.Value;
                break;
            case MetadataValue.ListNode list:
                var items = ListValue.New();
                foreach (var item in list.Items)
                {
                    items.Values.Add(ToMessage(item));
                }
                value.ListValue = items;
                break;
            case MetadataValue.StructNode nested:
                value.StructValue = ToMessage(nested.Fields);
                break;
            default:
                value.NullValue = NullValue.NullValue;
                break;
        }
        return value;
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

    /// <summary>The way back, for messages to services.</summary>
    public static Struct ToMessage(IReadOnlyDictionary<string, MetadataValue> fields)
    {
        var message = Struct.New();
        foreach (var (key, value) in fields)
        {
            message.Fields.Set(key, ToMessage(value));
        }
        return message;
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
