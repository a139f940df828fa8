namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>Headers by which a request asks for a fault.</summary>
internal static class FaultHeaders
{
    public static readonly byte[] DelayRequestPercentage = HeaderPrefix.Apply("x-envoy-fault-delay-request-percentage");

    public static readonly byte[] DelayRequest = HeaderPrefix.Apply("x-envoy-fault-delay-request");

    public static readonly byte[] AbortRequest = HeaderPrefix.Apply("x-envoy-fault-abort-request");

    public static readonly byte[] AbortGrpcRequest = HeaderPrefix.Apply("x-envoy-fault-abort-grpc-request");

    public static readonly byte[] AbortRequestPercentage = HeaderPrefix.Apply("x-envoy-fault-abort-request-percentage");

    public static readonly byte[] ThroughputResponse = HeaderPrefix.Apply("x-envoy-fault-throughput-response");

    public static readonly byte[] ThroughputResponsePercentage = HeaderPrefix.Apply("x-envoy-fault-throughput-response-percentage");
}
