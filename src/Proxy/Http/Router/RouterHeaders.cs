namespace MeshProxy.Proxy.Http.Router;

/// <summary>Headers of the router that have no slot of their own.</summary>
internal static class RouterHeaders
{
    public static readonly byte[] DropOverload = HeaderPrefix.Apply("x-envoy-drop-overload");

    public static readonly byte[] UnconditionalDropOverload = HeaderPrefix.Apply("x-envoy-unconditional-drop-overload");

    public static readonly byte[] TimeoutAltResponse = HeaderPrefix.Apply("x-envoy-upstream-rq-timeout-alt-response");

    public static readonly byte[] IsTimeoutRetry = HeaderPrefix.Apply("x-envoy-is-timeout-retry");
}
