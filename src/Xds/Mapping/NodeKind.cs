namespace MeshProxy.Xds.Mapping;

/// <summary>The six kinds of JSON value.</summary>
internal enum NodeKind : byte
{
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}
