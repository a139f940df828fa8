using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using Listener = Envoy.Config.Listener.V3.Listener;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Follows the listeners of a control plane or a file and gives them to the manager; a bad one does not hold the others.</summary>
internal sealed class LdsApi : ISubscriptionCallbacks, IDisposable
{
    private readonly ListenerManager _manager;
    private readonly ISubscriptionFactory _subscriptions;
    private readonly ISubscription _subscription;
    private Action? _onFirstAnswer;

    /// <param name="onFirstAnswer">Runs when the first push was applied, or will not come in time.</param>
    public LdsApi(
        ListenerManager manager, ISubscriptionFactory subscriptions, ConfigSource source, IStatsScope scope, Action onFirstAnswer)
    {
        _manager = manager;
        _onFirstAnswer = onFirstAnswer;
        _subscriptions = subscriptions;
        _subscription = subscriptions.Subscribe(source, Listener.Descriptor.TypeUrl, [], scope, this);
    }

    /// <summary>Version of the newest push that changed something, for config_dump; empty before the first.</summary>
    public string Version { get; private set; } = "";

    public void Start() => _subscription.Start();

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        // One request asks for the route tables and secrets of all the push brings.
        using var paused = _subscriptions.Pause(RouteConfiguration.Descriptor.TypeUrl, Secret.Descriptor.TypeUrl);
        try
        {
            // Removals come first, so that a renamed listener can take over its predecessor's address in one push.
            var changed = false;
            foreach (var name in isDelta ? removed : Missing(added))
            {
                changed |= _manager.Remove(name);
            }
            var errors = new StringBuilder();
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var resource in added)
            {
                changed |= Add(resource, systemVersion, isDelta, names, errors);
            }
            if (changed)
            {
                Version = systemVersion;
            }
            if (errors.Length > 0)
            {
                throw new ConfigurationException($"Error adding/updating listener(s) {errors}");
            }
        }
        finally
        {
            FirstAnswer();
        }
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => FirstAnswer();

    public void Dispose() => _subscription.Dispose();

    private bool Add(DecodedResource resource, string systemVersion, bool isDelta, HashSet<string> names, StringBuilder errors)
    {
        var listener = Listener.From(resource.Resource);
        try
        {
            if (!names.Add(listener.Name))
            {
                throw new ConfigurationException($"duplicate listener {listener.Name} found");
            }
            return _manager.AddOrUpdate(listener, isDelta ? resource.Version : systemVersion, addedViaApi: true);
        }
        catch (ConfigurationException refused)
        {
            errors.Append(listener.Name).Append(": ").Append(refused.Message).Append('\n');
            return false;
        }
    }

    private List<string> Missing(IReadOnlyList<DecodedResource> added)
    {
        var present = added.Select(resource => Listener.From(resource.Resource).Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. _manager.Active.Concat(_manager.Warming)
                .Where(entry => entry.AddedViaApi && !present.Contains(entry.Config.Name))
                .Select(entry => entry.Config.Name).Distinct(),
        ];
    }

    private void FirstAnswer()
    {
        var first = _onFirstAnswer;
        _onFirstAnswer = null;
        first?.Invoke();
    }
}
