using Envoy.Extensions.EarlyData.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using RouteAction = Envoy.Config.Route.V3.RouteAction;
using RouteConfig = Envoy.Config.Route.V3.Route;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;
using VirtualHostConfig = Envoy.Config.Route.V3.VirtualHost;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Compiles the route action of one route.</summary>
internal sealed class RouteActionCompiler(
    FactoryContext context, RouteConfiguration table, VirtualHostConfig host, bool validateClusters)
{
    private const string LoadBalancingNamespace = "envoy.lb";

    public RouteActionEntry Compile(RouteConfig route, string field)
    {
        var action = route.RouteValue!.Value;
        RefuseUnknownExtensions(action, field);
        var stream = action.MaxStreamDurationValue;
        return new RouteActionEntry
        {
            Clusters = ClustersOf(action, field),
            ClusterNotFoundCode = action.ClusterNotFoundResponseCodeValue switch
            {
                RouteAction.ClusterNotFoundResponseCode.NotFound => 404,
                RouteAction.ClusterNotFoundResponseCode.InternalServerError => 500,
                _ => 503,
            },
            Timeout = action.Timeout ?? RouteActionEntry.DefaultTimeout,
            IdleTimeout = action.IdleTimeout,
            FlushTimeout = action.FlushTimeout,
            UsesNewTimeouts = stream is not null,
            MaxStreamDuration = stream?.MaxStreamDurationValue,
            GrpcTimeoutHeaderMax = stream?.GrpcTimeoutHeaderMax,
            GrpcTimeoutHeaderOffset = stream?.GrpcTimeoutHeaderOffset,
            MaxGrpcTimeout = action.MaxGrpcTimeout,
            GrpcTimeoutOffset = action.GrpcTimeoutOffset,
            Retry = RetryOf(action, field),
            HedgeOnPerTryTimeout = (action.HedgePolicy ?? host.HedgePolicy)?.HedgeOnPerTryTimeout ?? false,
            Mirrors = MirrorsOf(action, field),
            Hash = HashPolicy.Compile(action.HashPolicyValue, $"{field}.hash_policy"),
            Priority = action.Priority == Envoy.Config.Core.V3.RoutingPriority.High ? RoutingPriority.High : RoutingPriority.Default,
            PathRewrite = PathRewriteOf(action, route, field),
            HostRewrite = HostRewrite.Compile(action, field),
            AutoHostRewrite = action.HostRewriteSpecifierCase == RouteAction.HostRewriteSpecifierOneofCase.AutoHostRewrite
                && action.AutoHostRewrite == true,
            AppendForwardedHost = action.AppendXForwardedHost,
            InternalRedirect = InternalRedirectPolicy.Compile(action, $"{field}.internal_redirect_policy"),
            Upgrades = UpgradesOf(action, field),
            Connect = ConnectOf(action, field),
        };
    }

    /// <summary>The envoy.lb fields of a route, overridden by those of a weighted cluster, sorted by key.</summary>
    public static IReadOnlyList<KeyValuePair<string, MetadataValue>>? Criteria(
        Envoy.Config.Core.V3.Metadata? route, Envoy.Config.Core.V3.Metadata? cluster)
    {
        var merged = new SortedDictionary<string, MetadataValue>(StringComparer.Ordinal);
        foreach (var metadata in (ReadOnlySpan<Envoy.Config.Core.V3.Metadata?>)[route, cluster])
        {
            if (metadata?.FilterMetadata.TryGetValue(LoadBalancingNamespace, out var fields) == true)
            {
                foreach (var (key, value) in fields.Fields)
                {
                    merged[key] = MetadataConversion.ToValue(value);
                }
            }
        }
        return merged.Count == 0 ? null : [.. merged];
    }

    private static void RefuseUnknownExtensions(RouteAction action, string field)
    {
        if (action.RetryPolicyTypedConfig is { } retry)
        {
            throw new ConfigurationException(
                $"{field}.retry_policy_typed_config: Didn't find a registered implementation for type: '{retry.TypeName}'; use retry_policy.");
        }
        if (action.EarlyDataPolicy is { } early && early.TypedConfig?.Is<DefaultEarlyDataPolicy>() != true)
        {
            throw new ConfigurationException(
                $"{field}.early_data_policy: Didn't find a registered implementation for '{early.Name}'; use envoy.route.early_data_policy.default.");
        }
    }

    private ClusterChoice ClustersOf(RouteAction action, string field)
    {
        switch (action.ClusterSpecifierCase)
        {
            case RouteAction.ClusterSpecifierOneofCase.Cluster:
                CheckCluster(action.Cluster, $"{field}.cluster");
                return ClusterChoice.Fixed.Instance;
            case RouteAction.ClusterSpecifierOneofCase.ClusterHeader:
                return new ClusterChoice.FromHeader(action.ClusterHeader);
            case RouteAction.ClusterSpecifierOneofCase.WeightedClusters:
                return WeightedOf(action.WeightedClusters!.Value, $"{field}.weighted_clusters");
            case RouteAction.ClusterSpecifierOneofCase.ClusterSpecifierPlugin:
                throw UnknownPlugin($"{field}.cluster_specifier_plugin", action.ClusterSpecifierPlugin);
            case RouteAction.ClusterSpecifierOneofCase.InlineClusterSpecifierPlugin:
                throw UnknownPlugin($"{field}.inline_cluster_specifier_plugin", action.InlineClusterSpecifierPlugin!.Value.Extension?.Name ?? "");
            default:
                throw new ConfigurationException($"{field}: no cluster is named; set cluster, cluster_header or weighted_clusters.");
        }
    }

    private ClusterChoice.Weighted WeightedOf(Envoy.Config.Route.V3.WeightedCluster config, string field)
    {
        ulong total = 0;
        foreach (var cluster in config.Clusters)
        {
            total += cluster.Weight ?? 0;
            if (cluster.Name.Length > 0)
            {
                CheckCluster(cluster.Name, $"{field}.clusters");
            }
        }
        if (total is 0 or > uint.MaxValue)
        {
            throw new ConfigurationException(
                $"{field}: the sum of weights of all weighted clusters must be greater than 0 and at most {uint.MaxValue}; it is {total}.");
        }
        return new ClusterChoice.Weighted(context.Runtime, config.RuntimeKeyPrefix, config.HeaderName, config.UseHashPolicy ?? false);
    }

    private void CheckCluster(string name, string field)
    {
        if (validateClusters && context.Clusters.Get(name) is null)
        {
            throw new ConfigurationException($"{field}: route: unknown cluster '{name}'; define it or set validate_clusters to false.");
        }
    }

    // The route's policy replaces the virtual host's whole.
    private RetryPolicy RetryOf(RouteAction action, string field)
    {
        if (action.RetryPolicy is { } own)
        {
            return RetryPolicy.Compile(own, $"{field}.retry_policy");
        }
        return host.RetryPolicy is { } shared ? RetryPolicy.Compile(shared, $"{host.Name}.retry_policy") : RetryPolicy.None;
    }

    private MirrorPolicy[] MirrorsOf(RouteAction action, string field)
    {
        var configs = action.RequestMirrorPolicies.Count > 0 ? action.RequestMirrorPolicies
            : host.RequestMirrorPolicies.Count > 0 ? host.RequestMirrorPolicies
            : table.RequestMirrorPolicies;
        var mirrors = new MirrorPolicy[configs.Count];
        for (var i = 0; i < mirrors.Length; i++)
        {
            mirrors[i] = new MirrorPolicy(configs[i], context, $"{field}.request_mirror_policies[{i}]");
            if (mirrors[i].ConfiguredCluster.Length > 0)
            {
                CheckCluster(mirrors[i].ConfiguredCluster, $"{field}.request_mirror_policies[{i}].cluster");
            }
        }
        return mirrors;
    }

    private PathRewrite? PathRewriteOf(RouteAction action, RouteConfig route, string field)
    {
        var given = (action.PrefixRewrite.Length > 0 ? 1 : 0) + (action.RegexRewrite is not null ? 1 : 0)
            + (action.PathRewritePolicy is not null ? 1 : 0) + (action.PathRewrite.Length > 0 ? 1 : 0);
        if (given > 1)
        {
            throw new ConfigurationException($"{field}: only one of prefix_rewrite, regex_rewrite, path_rewrite_policy and path_rewrite may be specified; remove the others.");
        }
        var byTemplate = route.Match?.PathMatchPolicy is not null;
        if (action.PrefixRewrite.Length > 0)
        {
            return byTemplate
                ? throw new ConfigurationException($"{field}.prefix_rewrite: cannot be used with a path_match_policy; use path_rewrite_policy.")
                : new PathRewrite.Prefix(action.PrefixRewrite);
        }
        if (action.RegexRewrite is { } regex)
        {
            return new PathRewrite.Regex(regex, $"{field}.regex_rewrite");
        }
        if (action.PathRewrite.Length > 0)
        {
            return new PathRewrite.Format(action.PathRewrite, $"{field}.path_rewrite");
        }
        return action.PathRewritePolicy is { } policy ? TemplateRewriteOf(policy, route, $"{field}.path_rewrite_policy") : null;
    }

    private static PathRewrite.Template TemplateRewriteOf(
        Envoy.Config.Core.V3.TypedExtensionConfig policy, RouteConfig route, string field)
    {
        if (policy.TypedConfig is not { } any
            || !any.TryUnpack<Envoy.Extensions.Path.Rewrite.UriTemplate.V3.UriTemplateRewriteConfig>(out var config))
        {
            throw new ConfigurationException($"{field}: '{policy.Name}' is no known rewrite policy; use envoy.path.rewrite.uri_template.uri_template_rewriter.");
        }
        if (route.Match?.PathMatchPolicy?.TypedConfig is not { } match
            || !match.TryUnpack<Envoy.Extensions.Path.Match.UriTemplate.V3.UriTemplateMatchConfig>(out var template))
        {
            throw new ConfigurationException($"{field}: a uri_template_rewriter needs a uri_template_matcher as match; set path_match_policy.");
        }
        var known = UriTemplate.Parse(template.PathTemplate, field).Variables;
        UriTemplate.CheckRewrite(config.PathTemplateRewrite, known, $"{field}.path_template_rewrite");
        return new PathRewrite.Template(config.PathTemplateRewrite);
    }

    private static Dictionary<string, bool> UpgradesOf(RouteAction action, string field)
    {
        var upgrades = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        foreach (var upgrade in action.UpgradeConfigs)
        {
            if (!upgrades.TryAdd(upgrade.UpgradeType, upgrade.Enabled ?? true))
            {
                throw new ConfigurationException($"{field}.upgrade_configs: Duplicate upgrade {upgrade.UpgradeType}; remove one.");
            }
        }
        return upgrades;
    }

    private static ConnectTermination? ConnectOf(RouteAction action, string field)
    {
        foreach (var upgrade in action.UpgradeConfigs)
        {
            if (upgrade.ConnectConfigValue is not { } config)
            {
                continue;
            }
            if (!upgrade.UpgradeType.Equals("CONNECT", StringComparison.OrdinalIgnoreCase)
                && !upgrade.UpgradeType.Equals("CONNECT-UDP", StringComparison.OrdinalIgnoreCase))
            {
                throw new ConfigurationException($"{field}.upgrade_configs: Non-CONNECT upgrade type {upgrade.UpgradeType} has ConnectConfig; remove it.");
            }
            int? version = config.ProxyProtocolConfig is { } proxy
                ? proxy.VersionValue == Envoy.Config.Core.V3.ProxyProtocolConfig.Version.V2 ? 2 : 1
                : null;
            return new ConnectTermination(config.AllowPost, version);
        }
        return null;
    }

    private static ConfigurationException UnknownPlugin(string field, string name) =>
        new($"{field}: the cluster specifier plugin '{name}' is not known; use cluster, cluster_header or weighted_clusters.");
}
