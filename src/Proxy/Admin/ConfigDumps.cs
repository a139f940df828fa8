using Envoy.Admin.V3;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Secrets;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using Bootstrap = Envoy.Config.Bootstrap.V3.Bootstrap;
using ClusterType = Envoy.Config.Cluster.V3.Cluster.DiscoveryType;
using HttpManager = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using Listener = Envoy.Config.Listener.V3.Listener;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;
using HealthStatus = Envoy.Config.Core.V3.HealthStatus;

namespace MeshProxy.Proxy.Admin;

/// <summary>The sections of /config_dump on bootstrap, clusters, endpoints and listeners.</summary>
public static class ConfigDumps
{
    /// <summary>Adds the section of the bootstrap, with the node as it is used.</summary>
    public static void AddBootstrap(ConfigTracker tracker, Bootstrap bootstrap, Envoy.Config.Core.V3.Node node)
    {
        var loaded = DateTimeOffset.UtcNow;
        tracker.Add("bootstrap", _ =>
        {
            var shown = new Bootstrap(bootstrap.Message.Clone()) { Node = node };
            var dump = BootstrapConfigDump.New();
            dump.Bootstrap = shown;
            dump.LastUpdated = loaded;
            return dump.Message;
        });
    }

    public static void AddClusters(ConfigTracker tracker, ClusterManager clusters)
    {
        tracker.Add("clusters", names => Clusters(clusters, names).Message);
        tracker.Add(ConfigTracker.Endpoints, names => Endpoints(clusters, names).Message);
    }

    /// <param name="version">version_info of the newest LDS push.</param>
    public static void AddListeners(ConfigTracker tracker, ListenerManager listeners, Func<string> version) =>
        tracker.Add("listeners", names => Listeners(listeners, version(), names).Message);

    public static void AddSecrets(ConfigTracker tracker, SecretManager secrets, DateTimeOffset loaded) =>
        tracker.Add("secrets", names => Secrets(secrets, loaded, names).Message);

    private static SecretsConfigDump Secrets(SecretManager secrets, DateTimeOffset loaded, DumpNameFilter names)
    {
        var dump = SecretsConfigDump.New();
        foreach (var secret in secrets.Static.Where(secret => names(secret.Name)))
        {
            var entry = SecretsConfigDump.StaticSecret.New();
            entry.Name = secret.Name;
            entry.LastUpdated = loaded;
            entry.Secret = Any.Pack(secret);
            dump.StaticSecrets.Add(entry);
        }
        foreach (var secret in secrets.Discovered.Where(secret => names(secret.Name)))
        {
            var entry = SecretsConfigDump.DynamicSecret.New();
            entry.Name = secret.Name;
            entry.LastUpdated = secret.LastUpdated;
            entry.VersionInfo = secret.Value is null ? "uninitialized" : secret.Version;
            if (secret.Value is { } value)
            {
                entry.Secret = Any.Pack(value);
            }
            (secret.Value is null ? dump.DynamicWarmingSecrets : dump.DynamicActiveSecrets).Add(entry);
        }
        return dump;
    }

    /// <summary>Route tables: those within listeners, and those that came by RDS.</summary>
    internal static void AddRoutes(ConfigTracker tracker, ListenerManager listeners, Singletons singletons)
    {
        tracker.Add("routes", names => Routes(listeners, singletons, names).Message);
        tracker.Add("route_scopes", names => RouteScopes(singletons, names).Message);
    }

    /// <summary>Filters that came by ECDS, a section for each kind once one of it is followed.</summary>
    internal static void AddExtensions(ConfigTracker tracker, Singletons singletons)
    {
        Add("ecds_filter_http", "http_filter");
        Add("ecds_filter_tcp_network", "network_filter");

        void Add(string section, string kind) => tracker.Add(
            section, names => ExtensionConfigs(singletons, kind, names).Message, () => ExtensionSubscription.WasFollowed(singletons, kind));
    }

    private static EcdsConfigDump ExtensionConfigs(Singletons singletons, string kind, DumpNameFilter names)
    {
        var dump = EcdsConfigDump.New();
        foreach (var followed in ExtensionSubscription.All(singletons).Where(followed => followed.Kind == kind))
        {
            if (followed.Resource is { } resource && names(resource.Name))
            {
                var entry = EcdsConfigDump.EcdsFilterConfig.New();
                entry.VersionInfo = followed.Version;
                entry.EcdsFilter = Any.Pack(resource);
                entry.LastUpdated = followed.LastUpdated;
                dump.EcdsFilters.Add(entry);
            }
        }
        return dump;
    }

    private static ScopedRoutesConfigDump RouteScopes(Singletons singletons, DumpNameFilter names)
    {
        var dump = ScopedRoutesConfigDump.New();
        foreach (var set in ScopedRoutes.All(singletons).Where(set => names(set.Name)))
        {
            if (set.IsFollowed)
            {
                var entry = ScopedRoutesConfigDump.DynamicScopedRouteConfigs.New();
                entry.Name = set.Name;
                entry.VersionInfo = set.Version;
                entry.LastUpdated = set.LastUpdated;
                AddScopes(entry.ScopedRouteConfigs, set);
                dump.DynamicScopedRouteConfigsValue.Add(entry);
            }
            else
            {
                var entry = ScopedRoutesConfigDump.InlineScopedRouteConfigs.New();
                entry.Name = set.Name;
                entry.LastUpdated = set.LastUpdated;
                AddScopes(entry.ScopedRouteConfigs, set);
                dump.InlineScopedRouteConfigsValue.Add(entry);
            }
        }
        return dump;
    }

    private static void AddScopes(AnyList list, ScopedRoutes set)
    {
        foreach (var scope in set.Scopes)
        {
            list.Add(Any.Pack(scope));
        }
    }

    private static RoutesConfigDump Routes(ListenerManager listeners, Singletons singletons, DumpNameFilter names)
    {
        var dump = RoutesConfigDump.New();
        foreach (var entry in listeners.Active.Concat(listeners.Warming))
        {
            foreach (var routes in InlineRoutes(entry.Config.Definition).Where(routes => names(routes.Name)))
            {
                var fixedRoutes = RoutesConfigDump.StaticRouteConfig.New();
                fixedRoutes.RouteConfig = Any.Pack(routes);
                fixedRoutes.LastUpdated = entry.LastUpdated;
                dump.StaticRouteConfigs.Add(fixedRoutes);
            }
        }
        foreach (var followed in RouteSubscription.All(singletons))
        {
            if (followed.Message is { } routes && names(routes.Name))
            {
                var entry = RoutesConfigDump.DynamicRouteConfig.New();
                entry.VersionInfo = followed.Version;
                entry.RouteConfig = Any.Pack(routes);
                entry.LastUpdated = followed.LastUpdated;
                dump.DynamicRouteConfigs.Add(entry);
            }
        }
        return dump;
    }

    private static IEnumerable<RouteConfiguration> InlineRoutes(Listener listener)
    {
        var chains = listener.DefaultFilterChain is { } fallback ? listener.FilterChains.Append(fallback) : listener.FilterChains;
        foreach (var filter in chains.SelectMany(chain => chain.Filters))
        {
            if (filter.TypedConfig is { } typed && typed.TryUnpack<HttpManager>(out var manager) && manager.RouteConfig is { } routes)
            {
                yield return routes;
            }
        }
    }

    private static ClustersConfigDump Clusters(ClusterManager clusters, DumpNameFilter names)
    {
        var dump = ClustersConfigDump.New();
        dump.VersionInfo = clusters.CdsVersion;
        foreach (var managed in Sorted(clusters.Clusters, names))
        {
            if (managed.AddedViaApi)
            {
                dump.DynamicActiveClusters.Add(Dynamic(managed, clusters.RefusedClusters.GetValueOrDefault(managed.Name)));
                continue;
            }
            var entry = ClustersConfigDump.StaticCluster.New();
            entry.Cluster = Any.Pack(managed.Definition);
            entry.LastUpdated = managed.LastUpdated;
            dump.StaticClusters.Add(entry);
        }
        foreach (var managed in Sorted(clusters.WarmingClusters, names))
        {
            dump.DynamicWarmingClusters.Add(Dynamic(managed, null));
        }
        foreach (var (name, refused) in clusters.RefusedClusters)
        {
            if (names(name) && !clusters.Knows(name))
            {
                var entry = ClustersConfigDump.DynamicCluster.New();
                entry.ErrorState = Error(Any.Pack(refused.Definition), refused.Reason, refused.LastAttempt);
                dump.DynamicWarmingClusters.Add(entry);
            }
        }
        return dump;
    }

    private static IEnumerable<ManagedCluster> Sorted(IEnumerable<ManagedCluster> clusters, DumpNameFilter names) =>
        clusters.Where(cluster => names(cluster.Name)).OrderBy(cluster => cluster.Name, StringComparer.Ordinal);

    private static ClustersConfigDump.DynamicCluster Dynamic(ManagedCluster managed, RefusedCluster? refused)
    {
        var entry = ClustersConfigDump.DynamicCluster.New();
        entry.VersionInfo = managed.Version;
        entry.Cluster = Any.Pack(managed.Definition);
        entry.LastUpdated = managed.LastUpdated;
        if (refused is not null)
        {
            entry.ErrorState = Error(Any.Pack(refused.Definition), refused.Reason, refused.LastAttempt);
        }
        return entry;
    }

    private static UpdateFailureState Error(Any configuration, string details, DateTime attempt)
    {
        var error = UpdateFailureState.New();
        error.FailedConfiguration = configuration;
        error.LastUpdateAttempt = attempt;
        error.Details = details;
        return error;
    }

    private static ListenersConfigDump Listeners(ListenerManager listeners, string version, DumpNameFilter names)
    {
        var dump = ListenersConfigDump.New();
        dump.VersionInfo = version;
        var dynamic = new SortedDictionary<string, ListenersConfigDump.DynamicListener>(StringComparer.Ordinal);
        foreach (var entry in listeners.Active)
        {
            if (!names(entry.Config.Name))
            {
                continue;
            }
            if (entry.AddedViaApi)
            {
                Entry(entry.Config.Name).ActiveState = State(entry);
                continue;
            }
            var fixedListener = ListenersConfigDump.StaticListener.New();
            fixedListener.Listener = Any.Pack(entry.Config.Definition);
            fixedListener.LastUpdated = entry.LastUpdated;
            dump.StaticListeners.Add(fixedListener);
        }
        foreach (var entry in listeners.Warming.Where(entry => entry.AddedViaApi && names(entry.Config.Name)))
        {
            Entry(entry.Config.Name).WarmingState = State(entry);
        }
        foreach (var entry in listeners.Draining.Where(entry => entry.AddedViaApi && names(entry.Config.Name)))
        {
            Entry(entry.Config.Name).DrainingState = State(entry);
        }
        foreach (var (name, refused) in listeners.RefusedListeners.Where(refused => names(refused.Key)))
        {
            Entry(name).ErrorState = Error(Any.Pack(refused.Definition), refused.Reason, refused.LastAttempt);
        }
        dump.DynamicListeners.AddRange(dynamic.Values);
        return dump;

        ListenersConfigDump.DynamicListener Entry(string name)
        {
            if (!dynamic.TryGetValue(name, out var entry))
            {
                entry = ListenersConfigDump.DynamicListener.New();
                entry.Name = name;
                dynamic[name] = entry;
            }
            return entry;
        }
    }

    private static ListenersConfigDump.DynamicListenerState State(ListenerEntry entry)
    {
        var state = ListenersConfigDump.DynamicListenerState.New();
        state.VersionInfo = entry.Version;
        state.Listener = Any.Pack(entry.Config.Definition);
        state.LastUpdated = entry.LastUpdated;
        return state;
    }

    private static EndpointsConfigDump Endpoints(ClusterManager clusters, DumpNameFilter names)
    {
        var dump = EndpointsConfigDump.New();
        foreach (var managed in Sorted(clusters.Clusters, names))
        {
            var assignment = Any.Pack(Assignment(managed));
            if (managed.AddedViaApi)
            {
                var entry = EndpointsConfigDump.DynamicEndpointConfig.New();
                entry.EndpointConfig = assignment;
                dump.DynamicEndpointConfigs.Add(entry);
            }
            else
            {
                var entry = EndpointsConfigDump.StaticEndpointConfig.New();
                entry.EndpointConfig = assignment;
                dump.StaticEndpointConfigs.Add(entry);
            }
        }
        return dump;
    }

    // As the proxy sees its hosts now, not as they came: health includes its own checks.
    private static ClusterLoadAssignment Assignment(ManagedCluster managed)
    {
        var assignment = ClusterLoadAssignment.New();
        var service = managed.Definition.EdsClusterConfigValue?.ServiceName ?? "";
        assignment.ClusterName = service.Length > 0 ? service : managed.Name;
        var policy = ClusterLoadAssignment.Policy.New();
        policy.OverprovisioningFactor = HostSet.DefaultOverprovisioningFactor;
        foreach (var set in managed.Cluster.Entry.Hosts.Sets)
        {
            policy.OverprovisioningFactor = set.Policy.OverprovisioningFactor;
            foreach (var group in set.Hosts.GroupBy(host => host.Locality))
            {
                assignment.Endpoints.Add(Locality(set, group.Key, group));
            }
        }
        assignment.PolicyValue = policy;
        return assignment;
    }

    private static LocalityLbEndpoints Locality(HostSet set, Locality place, IEnumerable<HostImpl> hosts)
    {
        var group = LocalityLbEndpoints.New();
        var locality = Envoy.Config.Core.V3.Locality.New();
        locality.Region = place.Region;
        locality.Zone = place.Zone;
        locality.SubZone = place.SubZone;
        group.Locality = locality;
        group.Priority = set.Priority;
        group.LoadBalancingWeight = set.LocalityWeights?.GetValueOrDefault(place) ?? 0;
        foreach (var host in hosts)
        {
            group.LbEndpoints.Add(Member(host));
        }
        return group;
    }

    private static LbEndpoint Member(HostImpl host)
    {
        var endpoint = Endpoint.New();
        endpoint.Address = AddressMessages.Of(host.Address);
        endpoint.Hostname = host.Hostname;
        var check = Endpoint.HealthCheckConfig.New();
        check.Hostname = host.Facts.HealthCheckHostname;
        endpoint.HealthCheckConfigValue = check;
        var member = LbEndpoint.New();
        member.Endpoint = endpoint;
        if (!host.Metadata.IsEmpty)
        {
            member.Metadata = MetadataConversion.ToMessage(host.Metadata);
        }
        member.LoadBalancingWeight = host.Weight;
        member.HealthStatus = host.Health switch
        {
            HostHealth.Healthy => HealthStatus.Healthy,
            HostHealth.Degraded => HealthStatus.Degraded,
            _ => HealthStatus.Unhealthy,
        };
        return member;
    }
}
