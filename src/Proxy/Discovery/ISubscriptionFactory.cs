using Envoy.Config.Core.V3;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Follows named resources of one type over ADS, a gRPC stream of their own, or files. All calls and callbacks on the main loop.</summary>
public interface ISubscriptionFactory
{
    /// <summary>Prepares to follow; <see cref="ISubscription.Start"/> begins. Refuses a config source that cannot work (missing file, unknown cluster) with a ConfigurationException.</summary>
    ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
        Observability.IStatsScope scope, ISubscriptionCallbacks callbacks);

    /// <summary>
    /// Holds back what the ADS stream would say of these types (subscriptions and acknowledgements alike) until disposed, so
    /// that many changes become one request, and an acknowledgement can wait for what it promises.
    /// </summary>
    IDisposable Pause(params ReadOnlySpan<string> typeUrls) => NoPause.Instance;
}

public interface ISubscription : IDisposable
{
    /// <summary>Begins to follow; the first answer, or its time-out, is counted from now. A file that is there may be applied before this returns. Once.</summary>
    void Start();

    /// <summary>Changes the set of names; empty set of a wildcard type means everything.</summary>
    void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames);
}

/// <summary>One resource as it came.</summary>
/// <param name="Resource">The unpacked message (the wrapper's content where the server wrapped it).</param>
public sealed record DecodedResource(string Name, string Version, Message Resource, IReadOnlyList<string> Aliases);

public interface ISubscriptionCallbacks
{
    /// <summary>
    /// A push. State of the world: all resources of the type; delta: added and removed. Throws ConfigurationException to NACK;
    /// what could be applied is applied first (a bad resource does not hold the others).
    /// </summary>
    void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta);

    /// <summary>The first answer did not come in time (initial_fetch_timeout), or the source refused.</summary>
    void OnConfigUpdateFailed(string reason, bool initialFetchTimeout);
}
