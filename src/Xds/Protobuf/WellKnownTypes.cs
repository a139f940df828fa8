namespace MeshProxy.Xds.Protobuf;

/// <summary>The types the mapping makes objects of itself.</summary>
internal static class WellKnownTypes
{
    public static readonly MessageType Struct = Required("google.protobuf.Struct");
    public static readonly MessageType Value = Required("google.protobuf.Value");
    public static readonly MessageType ListValue = Required("google.protobuf.ListValue");
    public static readonly MessageType Duration = Required("google.protobuf.Duration");
    public static readonly MessageType Timestamp = Required("google.protobuf.Timestamp");

    private static MessageType Required(string fullName) =>
        SchemaRegistry.Find(fullName) ?? throw new InvalidOperationException($"{fullName} is missing from the interface tables");
}
