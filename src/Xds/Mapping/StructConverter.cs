using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Mapping;

internal static class StructConverter
{
    public static Message ToMessage(Message? value, MessageType type) => throw new ProtobufException($"{type.FullName} cannot be read from a struct yet ({value?.Type})");
}
