using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

/// <summary>A TypedStruct names a message type and holds the message as a Struct.</summary>
internal static class TypedStructs
{
    private const int TypeUrl = 0;
    private const int Value = 1;

    /// <summary>Full name of the type the struct stands for; empty when it names none.</summary>
    public static string InnerTypeName(Message typedStruct) => SchemaRegistry.NameInUrl(typedStruct.GetString(TypeUrl));

    /// <summary>The message it stands for, or itself when the type is unknown.</summary>
    /// <exception cref="ProtobufException">The struct does not fit the type.</exception>
    public static Message Resolve(Message typedStruct) =>
        SchemaRegistry.Find(InnerTypeName(typedStruct)) is { } type
            ? StructConverter.ToMessage(typedStruct.GetMessage(Value), type)
            : typedStruct;
}
