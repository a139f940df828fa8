using System.Net;

namespace MeshProxy.Injection.Webhook;

/// <summary>The API server refused a request.</summary>
internal sealed class KubernetesException(HttpStatusCode status, string message) : Exception(message)
{
    public HttpStatusCode Status { get; } = status;
}
