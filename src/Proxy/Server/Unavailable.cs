using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security;

namespace MeshProxy.Proxy.Server;

/// <summary>Refuses discovery.</summary>
internal sealed class NoSubscriptions : ISubscriptionFactory
{
    public ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
        IStatsScope scope, ISubscriptionCallbacks callbacks) =>
        throw new ConfigurationException($"Discovery of {typeUrl} is not built in; give the resources in the bootstrap.");
}

/// <summary>Refuses secrets.</summary>
internal sealed class NoSecrets : ISecretManager
{
    public IDisposable Subscribe(SdsSecretConfig config, InitManager init, Action<Secret> onUpdate) =>
        throw new ConfigurationException($"The secret '{config.Name}' comes by discovery, which is not built in.");
}
