using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Server;

/// <summary>Refuses discovery.</summary>
internal sealed class NoSubscriptions : ISubscriptionFactory
{
    public ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
        IStatsScope scope, ISubscriptionCallbacks callbacks) =>
        throw new ConfigurationException($"Discovery of {typeUrl} is not built in; give the resources in the bootstrap.");
}
