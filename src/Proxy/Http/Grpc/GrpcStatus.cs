namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>gRPC status codes (grpc.io, "Status codes and their use") and Envoy's mapping to and from HTTP.</summary>
public static class GrpcStatus
{
    public const int Ok = 0;
    public const int Canceled = 1;
    public const int Unknown = 2;
    public const int InvalidArgument = 3;
    public const int DeadlineExceeded = 4;
    public const int NotFound = 5;
    public const int AlreadyExists = 6;
    public const int PermissionDenied = 7;
    public const int ResourceExhausted = 8;
    public const int FailedPrecondition = 9;
    public const int Aborted = 10;
    public const int OutOfRange = 11;
    public const int Unimplemented = 12;
    public const int Internal = 13;
    public const int Unavailable = 14;
    public const int DataLoss = 15;
    public const int Unauthenticated = 16;

    /// <summary>The status a client is told for an HTTP answer (grpc doc/http-grpc-status-mapping.md).</summary>
    public static int FromHttp(int code) => code switch
    {
        400 => Internal,
        401 => Unauthenticated,
        403 => PermissionDenied,
        404 => Unimplemented,
        429 or 502 or 503 or 504 => Unavailable,
        _ => Unknown,
    };

    /// <summary>The HTTP code that statistics and outlier detection take for a gRPC status (google.rpc.Code).</summary>
    public static int ToHttp(int status) => status switch
    {
        Ok => 200,
        Canceled => 499,
        Unknown => 500,
        InvalidArgument => 400,
        DeadlineExceeded => 504,
        NotFound => 404,
        AlreadyExists => 409,
        PermissionDenied => 403,
        ResourceExhausted => 429,
        FailedPrecondition => 400,
        Aborted => 409,
        OutOfRange => 400,
        Unimplemented => 501,
        Internal => 500,
        Unavailable => 503,
        DataLoss => 500,
        Unauthenticated => 401,
        _ => 500,
    };
}
