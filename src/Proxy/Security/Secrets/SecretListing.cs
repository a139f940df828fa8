using Envoy.Extensions.TransportSockets.Tls.V3;

namespace MeshProxy.Proxy.Security.Secrets;

/// <summary>A discovered secret as admin.v3.SecretsConfigDump shows it; what is secret in it is not yet left out.</summary>
/// <param name="Value">Null while it is awaited.</param>
public sealed record SecretListing(string Name, string Version, DateTimeOffset LastUpdated, Secret? Value);
