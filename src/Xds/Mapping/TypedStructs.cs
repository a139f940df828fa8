using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>A TypedStruct names a message type and holds the message as a Struct.</summary>
internal static class TypedStructs
{
    private const int TypeUrl = 0;
    private const int Value = 1;

    private static readonly ConfigNode EmptyObject = ConfigNode.OfObject([]);

    /// <summary>Full name of the type the struct stands for; empty when it names none.</summary>
    public static string InnerTypeName(Message typedStruct) => SchemaRegistry.NameInUrl(typedStruct.GetString(TypeUrl));

    /// <summary>The type the struct stands for, or null if it is unknown here.</summary>
    public static MessageType? FindType(Message typedStruct) => SchemaRegistry.Find(InnerTypeName(typedStruct));

    public static ConfigNode ValueOf(Message typedStruct) =>
        typedStruct.GetMessage(Value) is { } value ? StructValues.StructToNode(value) : EmptyObject;

    public static void SetValue(Message typedStruct, ConfigNode value) =>
        typedStruct.SetMessage(Value, StructValues.StructFromNode(value));

    /// <summary>
    /// The message it stands for, or itself when the type is unknown. Fields the type does not declare are left out, as
    /// Envoy leaves them out of dynamic configuration.
    /// </summary>
    /// <exception cref="ProtobufException">The struct does not fit the type.</exception>
    public static Message Resolve(Message typedStruct) =>
        FindType(typedStruct) is { } type ? NodeReader.Read(ValueOf(typedStruct), type, JsonReadOptions.Lenient) : typedStruct;
}
