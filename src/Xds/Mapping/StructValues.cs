using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>google.protobuf.Struct, Value and ListValue to nodes and back.</summary>
internal static class StructValues
{
    // Field indexes of Value, in order of number.
    private const int NullValue = 0;
    private const int NumberValue = 1;
    private const int TextValue = 2;
    private const int BoolValue = 3;
    private const int StructValue = 4;
    private const int ListValue = 5;

    public static Message FromNode(ConfigNode node)
    {
        var value = new Message(WellKnownTypes.Value);
        switch (node.Kind)
        {
            case NodeKind.Null: value.SetInt32(NullValue, 0); break;
            case NodeKind.Bool: value.SetBool(BoolValue, node.Flag); break;
            case NodeKind.Number: value.SetDouble(NumberValue, node.Number); break;
            case NodeKind.Text: value.SetString(TextValue, node.Text); break;
            case NodeKind.List: value.SetMessage(ListValue, ListFromNode(node)); break;
            default: value.SetMessage(StructValue, StructFromNode(node)); break;
        }

        return value;
    }

    public static Message StructFromNode(ConfigNode node)
    {
        var message = new Message(WellKnownTypes.Struct);
        foreach (var (name, value) in node.Members)
        {
            message.MutableMap(0).Set(name, FromNode(value));
        }

        return message;
    }

    public static Message ListFromNode(ConfigNode node)
    {
        var message = new Message(WellKnownTypes.ListValue);
        foreach (var item in node.Items)
        {
            message.MutableRepeated(0).Add(FromNode(item));
        }

        return message;
    }

    public static ConfigNode ToNode(Message value) => value.Presence switch
    {
        1UL << NumberValue => ConfigNode.OfNumber(value.GetDouble(NumberValue)),
        1UL << TextValue => ConfigNode.OfText(value.GetString(TextValue)),
        1UL << BoolValue => ConfigNode.OfBool(value.GetBool(BoolValue)),
        1UL << StructValue => StructToNode(value.GetMessage(StructValue)!),
        1UL << ListValue => ListToNode(value.GetMessage(ListValue)!),
        _ => ConfigNode.Null,
    };

    public static ConfigNode StructToNode(Message message)
    {
        var fields = (MapField?)message.Reference(0);
        var members = new List<KeyValuePair<string, ConfigNode>>(fields?.Count ?? 0);
        for (var i = 0; i < fields?.Count; i++)
        {
            members.Add(new((string)fields.Keys.ReferenceAt(i), ToNode((Message)fields.Values.ReferenceAt(i))));
        }

        return ConfigNode.OfObject(members);
    }

    public static ConfigNode ListToNode(Message message)
    {
        var values = (RepeatedField?)message.Reference(0);
        var items = new List<ConfigNode>(values?.Count ?? 0);
        for (var i = 0; i < values?.Count; i++)
        {
            items.Add(ToNode((Message)values.ReferenceAt(i)));
        }

        return ConfigNode.OfList(items);
    }
}
