using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using Runtime = Envoy.Service.Runtime.V3.Runtime;
using RuntimeLayer = Envoy.Config.Bootstrap.V3.RuntimeLayer;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Follows one layer of the runtime.</summary>
internal sealed class RtdsApi : ISubscriptionCallbacks, IDisposable
{
    private readonly RuntimeLoader _runtime;
    private readonly string _layer;
    private readonly string _resource;
    private readonly Action _onFirstAnswer;
    private readonly ISubscription _subscription;

    /// <exception cref="ConfigurationException">The layer's source cannot work.</exception>
    public RtdsApi(
        RuntimeLoader runtime, RuntimeLayer layer, ISubscriptionFactory subscriptions, IStatsScope scope, Action onFirstAnswer)
    {
        var rtds = layer.RtdsLayerValue!.Value;
        _runtime = runtime;
        _layer = layer.Name;
        _resource = rtds.Name;
        _onFirstAnswer = onFirstAnswer;
        var source = rtds.RtdsConfig
            ?? throw new ConfigurationException($"layered_runtime: the layer {layer.Name} has no rtds_config; set it.");
        _subscription = subscriptions.Subscribe(source, Runtime.Descriptor.TypeUrl, [_resource], scope, this);
    }

    public void Start() => _subscription.Start();

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        if (added.Count == 0 && removed.Contains(_resource))
        {
            _runtime.SetLayer(_layer, null);
            return;
        }
        if (added.Count != 1)
        {
            throw new ConfigurationException($"Unexpected RTDS resource length: {added.Count}; exactly one is expected for {_resource}.");
        }
        var runtime = Runtime.From(added[0].Resource);
        if (runtime.Name != _resource)
        {
            throw new ConfigurationException($"Unexpected RTDS runtime (expecting {_resource}): {runtime.Name}");
        }
        _runtime.SetLayer(_layer, runtime.Layer);
        _onFirstAnswer();
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => _onFirstAnswer();

    public void Dispose() => _subscription.Dispose();
}
