using System.Net;

namespace MeshProxy.Proxy.Transport;

/// <summary>Address of an internal listener: `envoy://listener/endpoint_id` (EnvoyInternalAddress).</summary>
public sealed class InternalEndPoint(string serverListenerName, string endpointId) : EndPoint
{
    /// <summary>Stands for an address that is not known.</summary>
    public static readonly InternalEndPoint Nowhere = new("", "");

    public string ServerListenerName { get; } = serverListenerName;

    public string EndpointId { get; } = endpointId;

    public override string ToString() => $"envoy://{ServerListenerName}/{EndpointId}";

    public override bool Equals(object? obj) =>
        obj is InternalEndPoint other && other.ServerListenerName == ServerListenerName && other.EndpointId == EndpointId;

    public override int GetHashCode() => HashCode.Combine(ServerListenerName, EndpointId);
}
