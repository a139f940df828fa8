namespace MeshProxy.Xds.Protobuf;

/// <summary>Bytes, JSON or YAML that are not what the message type says. The message is one sentence with the path.</summary>
public sealed class ProtobufException(string message) : Exception(message);
