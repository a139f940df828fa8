using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Route.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Answers every subscription from a dump, at once: what discovery gave the proxy, it gives again.</summary>
internal sealed class DumpSubscriptions : ISubscriptionFactory
{
    private readonly Dictionary<(string TypeUrl, string Name), DecodedResource> _resources = [];
    private readonly List<string> _refusals = [];

    public DumpSubscriptions(ConfigurationDump dump)
    {
        Add(dump.Routes, static routes => routes.Name);
        Add(dump.Endpoints, static endpoints => endpoints.ClusterName);
        Add(dump.Extensions, static extension => extension.Name);
    }

    /// <summary>Resources of the dump that this build refuses, a sentence each.</summary>
    public IReadOnlyList<string> Refusals => _refusals;

    public ISubscription Subscribe(ConfigSource source, string typeUrl, IReadOnlyCollection<string> resourceNames,
        IStatsScope scope, ISubscriptionCallbacks callbacks) => new Subscription(this, typeUrl, resourceNames, callbacks);

    private void Add<T>(IEnumerable<DumpedResource<T>> resources, Func<T, string> nameOf)
        where T : struct, IMessage<T>
    {
        foreach (var resource in resources)
        {
            var name = nameOf(resource.Resource);
            _resources[(T.Descriptor.TypeUrl, name)] =
                new DecodedResource(name, resource.Version, resource.Resource.Message, []);
        }
    }

    private void Answer(string typeUrl, IEnumerable<string> names, ISubscriptionCallbacks callbacks)
    {
        var found = new List<DecodedResource>();
        foreach (var name in names)
        {
            if (_resources.TryGetValue((typeUrl, name), out var resource))
            {
                found.Add(resource);
            }
        }
        if (found.Count == 0)
        {
            callbacks.OnConfigUpdateFailed("it is not in the dump", initialFetchTimeout: true);
            return;
        }
        try
        {
            callbacks.OnConfigUpdate(found, [], found[0].Version, isDelta: false);
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException)
        {
            _refusals.Add($"{found[0].Name} is refused: {refused.Message}");
        }
    }

    private sealed class Subscription(
        DumpSubscriptions owner, string typeUrl, IReadOnlyCollection<string> names, ISubscriptionCallbacks callbacks) : ISubscription
    {
        public void Start() => owner.Answer(typeUrl, names, callbacks);

        public void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames) =>
            owner.Answer(typeUrl, resourceNames, callbacks);

        public void Dispose()
        {
        }
    }
}
