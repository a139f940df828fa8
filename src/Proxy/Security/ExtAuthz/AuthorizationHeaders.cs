using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>Headers between the proxy and an authorization service.</summary>
internal static class AuthorizationHeaders
{
    /// <summary>Says whether the body in a question is cut; a client's own is never passed on.</summary>
    public static readonly byte[] PartialBody = HeaderPrefix.Apply("x-envoy-auth-partial-body");

    /// <summary>Request headers to be dropped, named by the answer of an HTTP service.</summary>
    public static readonly byte[] HeadersToRemove = HeaderPrefix.Apply("x-envoy-auth-headers-to-remove");

    /// <summary>Tells the backend that the service failed and the request passed nevertheless.</summary>
    public static readonly byte[] FailureModeAllowed = HeaderPrefix.Apply("x-envoy-auth-failure-mode-allowed");
}
