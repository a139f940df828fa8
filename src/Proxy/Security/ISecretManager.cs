namespace MeshProxy.Proxy.Security;

/// <summary>Secrets (certificates, validation contexts, session keys, generic) static or by SDS; shared subscriptions by (source, name).</summary>
public interface ISecretManager
{
    /// <summary>
    /// Follows a secret: <paramref name="onUpdate"/> runs on the main loop with each valid version (at once when it is there
    /// already). Disposing ends it.
    /// </summary>
    IDisposable Subscribe(Envoy.Extensions.TransportSockets.Tls.V3.SdsSecretConfig config, Configuration.InitManager init,
        Action<Envoy.Extensions.TransportSockets.Tls.V3.Secret> onUpdate);
}
