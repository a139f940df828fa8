namespace MeshProxy.Xds.Protobuf;

/// <summary>Types with a JSON form of their own.</summary>
internal enum WellKnownType : byte
{
    None,
    Any,
    Duration,
    Timestamp,
    FieldMask,
    Struct,
    Value,
    ListValue,
    Wrapper,
    TypedStruct,
    Empty,
}
