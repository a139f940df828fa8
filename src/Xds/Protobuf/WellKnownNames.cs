namespace MeshProxy.Xds.Protobuf;

internal static class WellKnownNames
{
    private const string Package = "google.protobuf.";

    public static WellKnownType Of(string fullName) => fullName switch
    {
        "xds.type.v3.TypedStruct" or "udpa.type.v1.TypedStruct" => WellKnownType.TypedStruct,
        _ when !fullName.StartsWith(Package, StringComparison.Ordinal) => WellKnownType.None,
        "google.protobuf.Any" => WellKnownType.Any,
        "google.protobuf.Duration" => WellKnownType.Duration,
        "google.protobuf.Timestamp" => WellKnownType.Timestamp,
        "google.protobuf.FieldMask" => WellKnownType.FieldMask,
        "google.protobuf.Struct" => WellKnownType.Struct,
        "google.protobuf.Value" => WellKnownType.Value,
        "google.protobuf.ListValue" => WellKnownType.ListValue,
        "google.protobuf.Empty" => WellKnownType.Empty,
        _ => fullName.EndsWith("Value", StringComparison.Ordinal) ? WellKnownType.Wrapper : WellKnownType.None,
    };
}
