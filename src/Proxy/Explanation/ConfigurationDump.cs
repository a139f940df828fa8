using Envoy.Admin.V3;
using Envoy.Config.Bootstrap.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Where a resource of a dump stands.</summary>
public enum DumpState
{
    /// <summary>From the bootstrap, or written within another resource.</summary>
    Static,

    /// <summary>Brought by discovery and serving.</summary>
    Active,

    /// <summary>Brought by discovery and not yet serving.</summary>
    Warming,

    /// <summary>Replaced, finishing its connections.</summary>
    Draining,
}

/// <summary>One resource of a dump.</summary>
/// <param name="Version">version_info; empty for static ones.</param>
public sealed record DumpedResource<T>(T Resource, DumpState State, string Version, DateTimeOffset? LastUpdated);

/// <summary>An update that the proxy refused; what served before serves on.</summary>
/// <param name="Kind">`listener` or `cluster`.</param>
/// <param name="Details">Why, in the proxy's words.</param>
public sealed record RefusedUpdate(string Kind, string Name, string Details, string Version, DateTimeOffset? LastAttempt);

/// <summary>
/// A parsed /config_dump, of this proxy or of Envoy (admin.v3.ConfigDump). Resources of types this build does not know are
/// listed in <see cref="Unknown"/> rather than left out in silence.
/// </summary>
public sealed class ConfigurationDump
{
    private readonly List<DumpedResource<Listener>> _listeners = [];
    private readonly List<DumpedResource<Cluster>> _clusters = [];
    private readonly List<DumpedResource<RouteConfiguration>> _routes = [];
    private readonly List<DumpedResource<ClusterLoadAssignment>> _endpoints = [];
    private readonly List<DumpedResource<Secret>> _secrets = [];
    private readonly List<DumpedResource<TypedExtensionConfig>> _extensions = [];
    private readonly List<RefusedUpdate> _refused = [];
    private readonly List<string> _unknown = [];
    private readonly List<string> _missingSecrets = [];

    /// <summary>Null when the dump has none (a part of a dump, or static resources alone).</summary>
    public Bootstrap? Bootstrap { get; private set; }

    public IReadOnlyList<DumpedResource<Listener>> Listeners => _listeners;

    public IReadOnlyList<DumpedResource<Cluster>> Clusters => _clusters;

    public IReadOnlyList<DumpedResource<RouteConfiguration>> Routes => _routes;

    public IReadOnlyList<DumpedResource<ClusterLoadAssignment>> Endpoints => _endpoints;

    public IReadOnlyList<DumpedResource<Secret>> Secrets => _secrets;

    /// <summary>Names of secrets that were asked for and have not come.</summary>
    public IReadOnlyList<string> MissingSecrets => _missingSecrets;

    /// <summary>Filters that came by ECDS.</summary>
    public IReadOnlyList<DumpedResource<TypedExtensionConfig>> Extensions => _extensions;

    public IReadOnlyList<RefusedUpdate> Refused => _refused;

    /// <summary>What could not be read: paths of fields and sections.</summary>
    public IReadOnlyList<string> Unknown => _unknown;

    /// <summary>The dump was taken with include_eds.</summary>
    public bool HasEndpoints { get; private set; }

    /// <exception cref="ProtobufException">The text is no dump.</exception>
    public static ConfigurationDump Parse(ReadOnlySpan<byte> json)
    {
        var dump = new ConfigurationDump();
        var options = new JsonReadOptions { OnUnknownField = dump._unknown.Add, KeepsUnknownTypes = true };
        foreach (var config in MessageJson.Parse<ConfigDump>(json, options).Configs)
        {
            dump.Add(config);
        }
        return dump;
    }

    /// <summary>The dump of messages already at hand.</summary>
    public static ConfigurationDump Of(ConfigDump message)
    {
        var dump = new ConfigurationDump();
        foreach (var config in message.Configs)
        {
            dump.Add(config);
        }
        return dump;
    }

    private void Add(Any config)
    {
        if (config.TryUnpack<BootstrapConfigDump>(out var bootstrap))
        {
            Bootstrap = bootstrap.Bootstrap;
        }
        else if (config.TryUnpack<ClustersConfigDump>(out var clusters))
        {
            AddClusters(clusters);
        }
        else if (config.TryUnpack<ListenersConfigDump>(out var listeners))
        {
            AddListeners(listeners);
        }
        else if (config.TryUnpack<RoutesConfigDump>(out var routes))
        {
            AddRoutes(routes);
        }
        else if (config.TryUnpack<EndpointsConfigDump>(out var endpoints))
        {
            AddEndpoints(endpoints);
        }
        else if (config.TryUnpack<SecretsConfigDump>(out var secrets))
        {
            AddSecrets(secrets);
        }
        else if (config.TryUnpack<EcdsConfigDump>(out var filters))
        {
            foreach (var filter in filters.EcdsFilters)
            {
                Add(_extensions, filter.EcdsFilter, DumpState.Active, filter.VersionInfo, filter.LastUpdated);
            }
        }
        else if (!config.Is<ScopedRoutesConfigDump>())
        {
            _unknown.Add(config.TypeName);
        }
    }

    private void AddClusters(ClustersConfigDump dump)
    {
        foreach (var entry in dump.StaticClusters)
        {
            Add(_clusters, entry.Cluster, DumpState.Static, "", entry.LastUpdated);
        }
        AddClusters(dump.DynamicActiveClusters, DumpState.Active);
        AddClusters(dump.DynamicWarmingClusters, DumpState.Warming);
    }

    private void AddClusters(MessageList<ClustersConfigDump.DynamicCluster> entries, DumpState state)
    {
        foreach (var entry in entries)
        {
            Add(_clusters, entry.Cluster, state, entry.VersionInfo, entry.LastUpdated);
            if (entry.ErrorState is { } error)
            {
                var name = error.FailedConfiguration is { } failed && failed.TryUnpack<Cluster>(out var refused) ? refused.Name : "";
                AddRefused("cluster", name, error);
            }
        }
    }

    private void AddListeners(ListenersConfigDump dump)
    {
        foreach (var entry in dump.StaticListeners)
        {
            Add(_listeners, entry.Listener, DumpState.Static, "", entry.LastUpdated);
        }
        foreach (var entry in dump.DynamicListeners)
        {
            AddListener(entry.ActiveState, DumpState.Active);
            AddListener(entry.WarmingState, DumpState.Warming);
            AddListener(entry.DrainingState, DumpState.Draining);
            if (entry.ErrorState is { } error)
            {
                AddRefused("listener", entry.Name, error);
            }
        }
    }

    private void AddListener(ListenersConfigDump.DynamicListenerState? state, DumpState where)
    {
        if (state is { } present)
        {
            Add(_listeners, present.Listener, where, present.VersionInfo, present.LastUpdated);
        }
    }

    private void AddRoutes(RoutesConfigDump dump)
    {
        foreach (var entry in dump.StaticRouteConfigs)
        {
            Add(_routes, entry.RouteConfig, DumpState.Static, "", entry.LastUpdated);
        }
        foreach (var entry in dump.DynamicRouteConfigs)
        {
            Add(_routes, entry.RouteConfig, DumpState.Active, entry.VersionInfo, entry.LastUpdated);
        }
    }

    private void AddEndpoints(EndpointsConfigDump dump)
    {
        HasEndpoints = true;
        foreach (var entry in dump.StaticEndpointConfigs)
        {
            Add(_endpoints, entry.EndpointConfig, DumpState.Static, "", entry.LastUpdated);
        }
        foreach (var entry in dump.DynamicEndpointConfigs)
        {
            Add(_endpoints, entry.EndpointConfig, DumpState.Active, entry.VersionInfo, entry.LastUpdated);
        }
    }

    private void AddSecrets(SecretsConfigDump dump)
    {
        foreach (var entry in dump.StaticSecrets)
        {
            Add(_secrets, entry.Secret, DumpState.Static, "", entry.LastUpdated);
        }
        foreach (var entry in dump.DynamicActiveSecrets)
        {
            Add(_secrets, entry.Secret, DumpState.Active, entry.VersionInfo, entry.LastUpdated);
        }
        foreach (var entry in dump.DynamicWarmingSecrets)
        {
            Add(_secrets, entry.Secret, DumpState.Warming, entry.VersionInfo, entry.LastUpdated);
            if (entry.Secret is null)
            {
                _missingSecrets.Add(entry.Name);
            }
        }
    }

    private void AddRefused(string kind, string name, UpdateFailureState error) =>
        _refused.Add(new RefusedUpdate(kind, name, error.Details, error.VersionInfo, error.LastUpdateAttempt));

    private void Add<T>(List<DumpedResource<T>> list, Any? resource, DumpState state, string version, DateTimeOffset? updated)
        where T : struct, IMessage<T>
    {
        if (resource is null)
        {
            return;
        }
        if (resource.TryUnpack<T>(out var message))
        {
            list.Add(new DumpedResource<T>(message, state, version, updated));
        }
        else
        {
            _unknown.Add(resource.TypeName);
        }
    }
}
