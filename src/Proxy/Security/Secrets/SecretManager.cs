using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.Secrets;

/// <summary>
/// Secrets of the bootstrap and of SDS. A discovered secret is followed once for everybody who names it with the same
/// source, and no longer than somebody needs it. Main loop only.
/// </summary>
/// <param name="subscriptions">Asked when a secret is first followed: discovery is made after the secret manager.</param>
/// <param name="files">Watches the files that secrets point to.</param>
/// <param name="scope">The server's scope; statistics are `sds.NAME.`.</param>
public sealed class SecretManager(Func<ISubscriptionFactory> subscriptions, FileWatcher files, IStatsScope scope) : ISecretManager
{
    private readonly Dictionary<string, Secret> _static = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DiscoveredSecret> _discovered = new(StringComparer.Ordinal);

    /// <summary>Secrets of the bootstrap, by name.</summary>
    public IEnumerable<Secret> Static => _static.Values.OrderBy(static s => s.Name, StringComparer.Ordinal);

    /// <summary>Discovered secrets, for /config_dump: those without a value are still awaited.</summary>
    public IEnumerable<SecretListing> Discovered => _discovered.Values.Select(static d => d.Listing);

    public void AddStatic(Secret secret)
    {
        if (!_static.TryAdd(secret.Name, secret))
        {
            throw new ConfigurationException($"Duplicate static secret name {secret.Name}");
        }
    }

    public IDisposable Subscribe(SdsSecretConfig config, InitManager init, Action<Secret> onUpdate)
    {
        if (config.SdsConfig is not { } source)
        {
            onUpdate(_static.TryGetValue(config.Name, out var known) ? known
                : throw new ConfigurationException($"Unknown static secret: {config.Name}"));
            return Nothing.Instance;
        }
        if (config.Name.Length == 0)
        {
            throw new ConfigurationException("A secret that comes by sds_config needs a name.");
        }
        var key = config.Name + "\n" + Convert.ToBase64String(source.Message.ToBytes());
        if (!_discovered.TryGetValue(key, out var secret))
        {
            var own = scope.Scope($"sds.{config.Name}");
            secret = new DiscoveredSecret(config.Name, files, own, () => _discovered.Remove(key));
            secret.Follow(callbacks => subscriptions().Subscribe(
                source, Secret.Descriptor.TypeUrl, [config.Name], own, callbacks));
            _discovered[key] = secret;
        }
        return secret.Attach(init, onUpdate);
    }

    private sealed class Nothing : IDisposable
    {
        public static readonly Nothing Instance = new();

        public void Dispose()
        {
        }
    }
}
