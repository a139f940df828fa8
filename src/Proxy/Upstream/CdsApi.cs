using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Observability;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream;

/// <summary>Follows the clusters of a control plane or a file and gives them to the manager; a bad one does not hold the others.</summary>
internal sealed class CdsApi : ISubscriptionCallbacks, IDisposable
{
    private readonly ClusterManager _manager;
    private static readonly StatBlockLayout Layout = new(
    [
        ("config_reload", StatKind.Counter),
        ("config_reload_time_ms", StatKind.Gauge),
    ]);

    private readonly ISubscriptionFactory _subscriptions;
    private readonly ISubscription _subscription;
    private readonly StatBlock _stats;
    private Action? _onFirstAnswer;

    public CdsApi(
        ClusterManager manager, ISubscriptionFactory subscriptions, ConfigSource source, IStatsScope scope, Action onFirstAnswer)
    {
        _manager = manager;
        _onFirstAnswer = onFirstAnswer;
        _subscriptions = subscriptions;
        _stats = scope.Block(Layout);
        _subscription = subscriptions.Subscribe(source, Cluster.Descriptor.TypeUrl, [], scope, this);
    }

    /// <summary>Version of the newest push that changed something, for config_dump; empty before the first.</summary>
    public string Version { get; private set; } = "";

    public void Start() => _subscription.Start();

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        // One request asks for the endpoints and secrets of all the push brings.
        using var paused = _subscriptions.Pause(ClusterLoadAssignment.Descriptor.TypeUrl, Secret.Descriptor.TypeUrl);
        try
        {
            var gone = isDelta ? removed : Missing(added);
            var errors = new StringBuilder();
            var names = new HashSet<string>(StringComparer.Ordinal);
            var changed = false;
            foreach (var resource in added)
            {
                changed |= Add(resource, systemVersion, isDelta, names, errors);
            }
            var any = changed;
            foreach (var name in gone)
            {
                any |= _manager.Remove(name);
            }
            if (any)
            {
                Version = systemVersion;
            }
            if (errors.Length > 0)
            {
                throw new ConfigurationException($"Error adding/updating cluster(s) {errors}");
            }
            if (changed)
            {
                _stats.Inc(0);
                _stats.Set(1, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            }
        }
        finally
        {
            FirstAnswer();
        }
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => FirstAnswer();

    public void Dispose() => _subscription.Dispose();

    private bool Add(
        DecodedResource resource, string systemVersion, bool isDelta, HashSet<string> names, StringBuilder errors)
    {
        var definition = Cluster.From(resource.Resource);
        try
        {
            if (!names.Add(definition.Name))
            {
                throw new ConfigurationException($"duplicate cluster {definition.Name} found");
            }
            return _manager.AddOrUpdate(definition, isDelta ? resource.Version : systemVersion);
        }
        catch (ConfigurationException refused)
        {
            _manager.NoteRefused(definition, systemVersion, refused.Message);
            errors.Append(errors.Length > 0 ? ", " : "").Append(definition.Name).Append(": ").Append(refused.Message);
            return false;
        }
    }

    // State of the world: what is not named any more is gone.
    private List<string> Missing(IReadOnlyList<DecodedResource> named)
    {
        var missing = new HashSet<string>(_manager.DynamicNames(), StringComparer.Ordinal);
        foreach (var resource in named)
        {
            missing.Remove(Cluster.From(resource.Resource).Name);
        }
        return [.. missing];
    }

    private void FirstAnswer()
    {
        var first = _onFirstAnswer;
        _onFirstAnswer = null;
        first?.Invoke();
    }
}
