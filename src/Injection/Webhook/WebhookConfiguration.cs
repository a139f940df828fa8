using MeshProxy.Injection.Configuration;

namespace MeshProxy.Injection.Webhook;

/// <summary>What pods are injected with just now; replaced as a whole when a file changes.</summary>
internal sealed record WebhookConfiguration(InjectionValues Values, MeshSettings Mesh);
