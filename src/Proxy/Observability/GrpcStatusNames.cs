using System.Buffers.Text;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability;

/// <summary>The gRPC status of an exchange and its names.</summary>
public static class GrpcStatusNames
{
    private static readonly string[] Camel =
    [
        "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists", "PermissionDenied",
        "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss",
        "Unauthenticated",
    ];

    private static readonly string[] Snake =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <summary>`DeadlineExceeded`; null for numbers gRPC does not define.</summary>
    public static string? CamelCase(long status) => status >= 0 && status < Camel.Length ? Camel[status] : null;

    /// <summary>`DEADLINE_EXCEEDED`; null for numbers gRPC does not define.</summary>
    public static string? SnakeCase(long status) => status >= 0 && status < Snake.Length ? Snake[status] : null;

    /// <summary>From the trailers, else the response headers, else mapped from the HTTP code; null when there is no code either.</summary>
    public static long? Of(in LogContext context)
    {
        if (Read(context.ResponseTrailers) is { } inTrailers)
        {
            return inTrailers;
        }
        if (Read(context.ResponseHeaders) is { } inHeaders)
        {
            return inHeaders;
        }
        return context.StreamInfo.ResponseCode == 0 ? null : FromHttp(context.StreamInfo.ResponseCode);
    }

    /// <summary>The request's content-type is application/grpc, or that with a suffix.</summary>
    public static bool IsGrpcRequest(HeaderMap? headers)
    {
        if (headers is null || !headers.TryGet(KnownHeader.ContentType, out var type) || !type.StartsWith("application/grpc"u8))
        {
            return false;
        }
        return type.Length == "application/grpc".Length || type["application/grpc".Length] is (byte)'+' or (byte)';';
    }

    /// <summary>grpc/grpc doc/http-grpc-status-mapping.md.</summary>
    public static long FromHttp(int code) =>
        code switch
        {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 or 502 or 503 or 504 => 14,
            _ => 2,
        };

    private static long? Read(HeaderMap? headers) =>
        headers is not null && headers.TryGet(KnownHeader.GrpcStatus, out var value)
            ? Utf8Parser.TryParse(value, out uint status, out var read) && read == value.Length ? status : -1
            : null;
}
