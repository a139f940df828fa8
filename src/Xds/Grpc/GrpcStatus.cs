namespace MeshProxy.Xds.Grpc;

/// <summary>The status codes of gRPC that we answer with, by their numbers.</summary>
public enum GrpcStatus
{
    Ok = 0,
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}
