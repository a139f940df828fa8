using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Metadata by value: comparing, matching, and reading from messages.</summary>
internal static class MetadataEquality
{
    public static bool Equal(DynamicMetadata? left, DynamicMetadata? right)
    {
        if (ReferenceEquals(left, right))
        {
            return true;
        }
        if (left is null || right is null)
        {
            return (left ?? right)!.IsEmpty;
        }
        var names = 0;
        foreach (var name in left.Namespaces)
        {
            names++;
            if (right.Get(name) is not { } fields || !FieldsEqual(left.Get(name)!, fields))
            {
                return false;
            }
        }
        return names == right.Namespaces.Count();
    }

    public static bool Equal(MetadataValue left, MetadataValue right) => (left, right) switch
    {
        (MetadataValue.ListNode a, MetadataValue.ListNode b) => ListsEqual(a.Items, b.Items),
        (MetadataValue.StructNode a, MetadataValue.StructNode b) => FieldsEqual(a.Fields, b.Fields),
        _ => left.Equals(right),
    };

    public static DynamicMetadata? Read(Envoy.Config.Core.V3.Metadata? message)
    {
        if (message is not { } from || from.FilterMetadata.Count == 0)
        {
            return null;
        }
        var metadata = new DynamicMetadata();
        foreach (var (name, fields) in from.FilterMetadata)
        {
            foreach (var (key, value) in fields.Fields)
            {
                metadata.Set(name, key, Read(value));
            }
        }
        return metadata;
    }

    public static Dictionary<string, MetadataValue> Read(Struct from)
    {
        var fields = new Dictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var (key, value) in from.Fields)
        {
            fields[key] = Read(value);
        }
        return fields;
    }

    public static MetadataValue Read(Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.BoolValue:
                return MetadataValue.From(value.BoolValue);
            case Value.KindOneofCase.NumberValue:
                return MetadataValue.From(value.NumberValue);
            case Value.KindOneofCase.StringValue:
                return MetadataValue.From(value.StringValue);
            case Value.KindOneofCase.StructValue:
                return new MetadataValue.StructNode(Read(value.StructValue!.Value));
            case Value.KindOneofCase.ListValue:
                var items = new List<MetadataValue>();
                foreach (var item in value.ListValue!.Value.Values)
                {
                    items.Add(Read(item));
                }
                return new MetadataValue.ListNode(items);
            default:
                return MetadataValue.Null;
        }
    }

    private static bool FieldsEqual(
        IReadOnlyDictionary<string, MetadataValue> left, IReadOnlyDictionary<string, MetadataValue> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        foreach (var (key, value) in left)
        {
            if (!right.TryGetValue(key, out var other) || !Equal(value, other))
            {
                return false;
            }
        }
        return true;
    }

    private static bool ListsEqual(IReadOnlyList<MetadataValue> left, IReadOnlyList<MetadataValue> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }
        for (var i = 0; i < left.Count; i++)
        {
            if (!Equal(left[i], right[i]))
            {
                return false;
            }
        }
        return true;
    }
}
