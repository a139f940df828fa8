using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Upstream;
using CheckRequest = Envoy.Service.Auth.V3.CheckRequest;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>What a check is made for.</summary>
/// <param name="Headers">Of the request; null for a connection.</param>
/// <param name="Span">Parent of the call's span; null traces nothing.</param>
internal readonly record struct CheckContext(StreamInfo Info, HeaderMap? Headers, ISpan? Span);

internal interface IAuthorizationCallbacks
{
    void OnComplete(CheckResult result);
}

/// <summary>Asks a service whether something may pass; from any loop, answers on the calling loop.</summary>
internal interface IAuthorizationClient
{
    /// <summary>Exactly one answer follows unless the call is cancelled. Null when it came before this returned.</summary>
    IAsyncRequest? Check(CheckRequest request, in CheckContext context, IAuthorizationCallbacks callbacks);
}
