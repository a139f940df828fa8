namespace MeshProxy.Proxy.Http.Router;

/// <summary>Retry conditions (upstream 13.1).</summary>
[Flags]
internal enum RetryOn : uint
{
    None = 0,
    Http5xx = 1 << 0,
    GatewayError = 1 << 1,
    ConnectFailure = 1 << 2,
    Retriable4xx = 1 << 3,
    RefusedStream = 1 << 4,
    GrpcCancelled = 1 << 5,
    GrpcDeadlineExceeded = 1 << 6,
    GrpcResourceExhausted = 1 << 7,
    GrpcUnavailable = 1 << 8,
    GrpcInternal = 1 << 9,
    RetriableStatusCodes = 1 << 10,
    Reset = 1 << 11,
    RetriableHeaders = 1 << 12,
    EnvoyRateLimited = 1 << 13,
    Http3PostConnectFailure = 1 << 14,
    ResetBeforeRequest = 1 << 15,
}

/// <summary>Reads lists of retry conditions.</summary>
internal static class RetryOnParser
{
    /// <summary>Conditions of x-envoy-retry-on; false if one of the names is none.</summary>
    public static bool TryParseHttp(string list, out RetryOn conditions) => TryParse(list, Http, out conditions);

    /// <summary>Conditions of x-envoy-retry-grpc-on.</summary>
    public static bool TryParseGrpc(string list, out RetryOn conditions) => TryParse(list, Grpc, out conditions);

    private static bool TryParse(string list, Func<string, RetryOn> condition, out RetryOn conditions)
    {
        conditions = RetryOn.None;
        var known = true;
        foreach (var name in list.Split(',', StringSplitOptions.TrimEntries))
        {
            var one = condition(name);
            conditions |= one;
            known &= one != RetryOn.None;
        }
        return known;
    }

    private static RetryOn Http(string name) => name switch
    {
        "5xx" => RetryOn.Http5xx,
        "gateway-error" => RetryOn.GatewayError,
        "connect-failure" => RetryOn.ConnectFailure,
        "envoy-ratelimited" => RetryOn.EnvoyRateLimited,
        "retriable-4xx" => RetryOn.Retriable4xx,
        "refused-stream" => RetryOn.RefusedStream,
        "retriable-status-codes" => RetryOn.RetriableStatusCodes,
        "retriable-headers" => RetryOn.RetriableHeaders,
        "reset" => RetryOn.Reset,
        "reset-before-request" => RetryOn.ResetBeforeRequest,
        "http3-post-connect-failure" => RetryOn.Http3PostConnectFailure,
        _ => RetryOn.None,
    };

    private static RetryOn Grpc(string name) => name switch
    {
        "cancelled" => RetryOn.GrpcCancelled,
        "deadline-exceeded" => RetryOn.GrpcDeadlineExceeded,
        "resource-exhausted" => RetryOn.GrpcResourceExhausted,
        "unavailable" => RetryOn.GrpcUnavailable,
        "internal" => RetryOn.GrpcInternal,
        _ => RetryOn.None,
    };
}
