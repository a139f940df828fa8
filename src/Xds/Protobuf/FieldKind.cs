namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// The wire kind of a field: descriptor.proto's numbers up to 18. Any and Duration are messages on the wire that are
/// stored in forms of their own.
/// </summary>
public enum FieldKind : byte
{
    Double = 1,
    Float = 2,
    Int64 = 3,
    UInt64 = 4,
    Int32 = 5,
    Fixed64 = 6,
    Fixed32 = 7,
    Bool = 8,
    String = 9,
    Message = 11,
    Bytes = 12,
    UInt32 = 13,
    Enum = 14,
    SFixed32 = 15,
    SFixed64 = 16,
    SInt32 = 17,
    SInt64 = 18,
    Any = 19,
    Duration = 20,
}
