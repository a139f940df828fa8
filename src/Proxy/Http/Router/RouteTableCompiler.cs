using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using RouteConfig = Envoy.Config.Route.V3.Route;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;
using VirtualHostConfig = Envoy.Config.Route.V3.VirtualHost;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Turns a RouteConfiguration into a <see cref="RouteTable"/>, or refuses it with the field at fault.</summary>
internal sealed class RouteTableCompiler
{
    private readonly RouteConfiguration _config;
    private readonly FactoryContext _context;
    private readonly bool _validateClusters;
    private readonly uint _maxDirectResponse;
    private readonly HeaderParser _requestHeaders;
    private readonly HeaderParser _responseHeaders;
    private readonly RouteTable _table;

    private RouteTableCompiler(RouteConfiguration config, FactoryContext context, bool validateClusters)
    {
        _config = config;
        _context = context;
        _validateClusters = config.ValidateClusters ?? validateClusters;
        _maxDirectResponse = config.MaxDirectResponseBodySizeBytes ?? 4096;
        _requestHeaders = HeaderParser.Compile(config.RequestHeadersToAdd, config.RequestHeadersToRemove, $"{config.Name}.request");
        _responseHeaders = HeaderParser.Compile(config.ResponseHeadersToAdd, config.ResponseHeadersToRemove, $"{config.Name}.response");
        _table = new RouteTable(config.Name, config.VhostHeader, config.IgnorePortInHostMatching, config.IgnorePathParametersInPathMatching)
        {
            Configs = PerFilterConfigs.Compile(config.TypedPerFilterConfig, context, $"{config.Name}.typed_per_filter_config"),
            Metadata = MetadataConversion.ToMetadata(config.Metadata),
            InternalOnlyHeaders = [.. config.InternalOnlyHeaders.Select(name => System.Text.Encoding.ASCII.GetBytes(name.ToLowerInvariant()))],
        };
    }

    /// <param name="validateClusters">What holds when the message does not say: true for inline tables, false for RDS.</param>
    public static RouteTable Compile(RouteConfiguration config, FactoryContext context, bool validateClusters) =>
        new RouteTableCompiler(config, context, validateClusters).Run();

    private RouteTable Run()
    {
        foreach (var plugin in _config.ClusterSpecifierPlugins)
        {
            if (!plugin.IsOptional)
            {
                throw new ConfigurationException(
                    $"{_config.Name}.cluster_specifier_plugins: Didn't find a registered implementation for '{plugin.Extension?.Name}' with type URL: '{plugin.Extension?.TypedConfig?.TypeName}'; remove it.");
            }
        }
        foreach (var host in _config.VirtualHosts)
        {
            AddHost(host);
        }
        return _table;
    }

    private void AddHost(VirtualHostConfig config)
    {
        var field = $"{_config.Name}.virtual_hosts[{config.Name}]";
        if (config.Matcher is not null && config.Routes.Count > 0)
        {
            throw new ConfigurationException($"{field}: cannot set both matcher and routes on virtual host; remove one.");
        }
        if (config.RetryPolicyTypedConfig is { } retry)
        {
            throw new ConfigurationException(
                $"{field}.retry_policy_typed_config: Didn't find a registered implementation for type: '{retry.TypeName}'; use retry_policy.");
        }
        var scope = _context.ServerScope.Scope($"vhost.{config.Name}");
        var configs = PerFilterConfigs.Compile(config.TypedPerFilterConfig, _context, $"{field}.typed_per_filter_config");
        var host = new VirtualHostEntry(config, _table, configs, scope) 
        {
            VirtualClusters = VirtualClustersOf(config, scope, field),
            RateLimitPolicies = RateLimits.RateLimitPolicy.CompileAll(config.RateLimits, _context, $"{field}.rate_limits"),
        };
        var levels = new Levels(
            HeaderParser.Compile(config.RequestHeadersToAdd, config.RequestHeadersToRemove, $"{field}.request"),
            HeaderParser.Compile(config.ResponseHeadersToAdd, config.ResponseHeadersToRemove, $"{field}.response"));
        host.RouteArray = CompileRoutes(config.Routes, host, levels, $"{field}.routes");
        host.Tree = config.Matcher is { } matcher
            ? new RouteTree(matcher, _context, (route, name) => CompileRoute(route, host, levels, name), $"{field}.matcher")
            : null;
        host.TlsRedirect = config.RequireTls == VirtualHostConfig.TlsRequirementType.None ? null : TlsRedirect(host);
        _table.VirtualHosts.Add(host);
        foreach (var domain in config.Domains)
        {
            if (!_table.TryAdd(domain, host))
            {
                throw new ConfigurationException(domain == "*"
                    ? $"{field}.domains: Only a single wildcard domain is permitted in route {_config.Name}; remove one."
                    : $"{field}.domains: Only unique values for domains are permitted. Duplicate entry of domain {domain} in route {_config.Name}; remove one.");
            }
        }
    }

    private RouteEntry[] CompileRoutes(IReadOnlyList<RouteConfig> configs, VirtualHostEntry host, Levels levels, string field)
    {
        var routes = new RouteEntry[configs.Count];
        for (var i = 0; i < routes.Length; i++)
        {
            routes[i] = CompileRoute(configs[i], host, levels, $"{field}[{i}]");
        }
        return routes;
    }

    private RouteEntry TlsRedirect(VirtualHostEntry host)
    {
        var redirect = Envoy.Config.Route.V3.RedirectAction.New();
        redirect.HttpsRedirect = true;
        return new RouteEntry(RouteConfig.New(), host, RouteMatch.Everything, PerFilterConfigs.Empty)
        {
            Redirect = new Redirect(redirect, $"{host.Name}.require_tls"),
        };
    }

    private RouteEntry CompileRoute(RouteConfig config, VirtualHostEntry host, Levels hostLevels, string field)
    {
        if (config.Match is not { } match)
        {
            throw new ConfigurationException($"{field}.match: a route needs a match; set one.");
        }
        var action = config.ActionCase == RouteConfig.ActionOneofCase.RouteValue
            ? new RouteActionCompiler(_context, _config, host.Definition, _validateClusters).Compile(config, $"{field}.route")
            : null;
        var route = new RouteEntry(config, host, RouteMatch.Compile(match, _context, $"{field}.match"),
            PerFilterConfigs.Compile(config.TypedPerFilterConfig, _context, $"{field}.typed_per_filter_config"))
        {
            Action = action,
            Redirect = config.Redirect is { } redirect ? new Redirect(redirect, $"{field}.redirect") : null,
            DirectResponse = config.DirectResponse is { } direct ? DirectResponseOf(direct, $"{field}.direct_response") : null,
            BodyBufferLimit = BufferLimitOf(config, host.Definition),
            RateLimitPolicies = config.RouteValue is { } forward
                ? RateLimits.RateLimitPolicy.CompileAll(forward.RateLimits, _context, $"{field}.route.rate_limits") : [],
            Decorator = config.Decorator is { } decorator ? new Decorator(decorator.Operation, decorator.Propagate ?? true) : null,
            Tracing = config.Tracing is { } tracing ? RouteTracing.Compile(tracing, _context.Runtime, $"{field}.tracing") : null,
            Stats = config.StatPrefix.Length > 0 ? new VirtualClusterStats(host.Scope!.Scope($"route.{config.StatPrefix}")) : null,
        };
        if (config.ActionCase == RouteConfig.ActionOneofCase.None)
        {
            throw new ConfigurationException($"{field}: a route needs an action; set route, redirect or direct_response.");
        }
        var own = new Levels(
            HeaderParser.Compile(config.RequestHeadersToAdd, config.RequestHeadersToRemove, $"{field}.request"),
            HeaderParser.Compile(config.ResponseHeadersToAdd, config.ResponseHeadersToRemove, $"{field}.response"));
        var metadata = RouteActionCompiler.Criteria(config.RouteValue?.MetadataMatch, null);
        route.Complete(config.RouteValue?.Cluster is { Length: > 0 } cluster ? cluster : null,
            Ordered([own.Request, hostLevels.Request, _requestHeaders]),
            Ordered([own.Response, hostLevels.Response, _responseHeaders]), metadata);
        if (action?.Clusters is ClusterChoice.Weighted weighted)
        {
            weighted.Complete(WeightedEntries(config, route, own, hostLevels, $"{field}.route.weighted_clusters"));
        }
        return route;
    }

    private ClusterChoice.Weighted.Entry[] WeightedEntries(RouteConfig config, RouteEntry route, Levels own, Levels host, string field)
    {
        var clusters = config.RouteValue!.Value.WeightedClusters!.Value.Clusters;
        var entries = new ClusterChoice.Weighted.Entry[clusters.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var cluster = clusters[i];
            var name = $"{field}.clusters[{i}]";
            if (cluster.Name.Length > 0 == cluster.ClusterHeader.Length > 0)
            {
                throw new ConfigurationException($"{name}: Only one of name or cluster_header can be specified; set one.");
            }
            var request = HeaderParser.Compile(cluster.RequestHeadersToAdd, cluster.RequestHeadersToRemove, $"{name}.request");
            var response = HeaderParser.Compile(cluster.ResponseHeadersToAdd, cluster.ResponseHeadersToRemove, $"{name}.response");
            var variant = route.WithWeighted(cluster.Name,
                PerFilterConfigs.Compile(cluster.TypedPerFilterConfig, _context, $"{name}.typed_per_filter_config"),
                Ordered([request, own.Request, host.Request, _requestHeaders]),
                Ordered([response, own.Response, host.Response, _responseHeaders]),
                RouteActionCompiler.Criteria(config.RouteValue!.Value.MetadataMatch, cluster.MetadataMatch),
                cluster.HostRewriteLiteral.Length > 0 ? cluster.HostRewriteLiteral : null);
            entries[i] = new ClusterChoice.Weighted.Entry(cluster.Name, cluster.Weight ?? 0, variant,
                System.Text.Encoding.ASCII.GetBytes(cluster.ClusterHeader.ToLowerInvariant()));
        }
        return entries;
    }

    private HeaderParser[] Ordered(HeaderParser[] mostSpecificFirst)
    {
        if (_config.MostSpecificHeaderMutationsWins)
        {
            Array.Reverse(mostSpecificFirst);
        }
        return Array.FindAll(mostSpecificFirst, parser => !parser.IsEmpty);
    }

    private DirectResponse DirectResponseOf(Envoy.Config.Route.V3.DirectResponseAction config, string field)
    {
        var body = config.Body is { } source ? DataSource.Read(source, _maxDirectResponse, $"{field}.body") : [];
        var format = config.BodyFormat is { } given ? LocalReplyFormat.Compile(given, $"{field}.body_format") : null;
        return new DirectResponse((int)config.Status, body, format);
    }

    private static ulong? BufferLimitOf(RouteConfig route, VirtualHostConfig host) =>
        route.RequestBodyBufferLimit ?? route.PerRequestBufferLimitBytes
        ?? host.RequestBodyBufferLimit ?? host.PerRequestBufferLimitBytes;

    private static List<VirtualClusterEntry> VirtualClustersOf(VirtualHostConfig config, IStatsScope scope, string field)
    {
        var entries = new List<VirtualClusterEntry>();
        for (var i = 0; i < config.VirtualClusters.Count; i++)
        {
            var cluster = config.VirtualClusters[i];
            if (cluster.Headers.Count == 0)
            {
                throw new ConfigurationException($"{field}.virtual_clusters[{i}]: virtual clusters must define 'headers'; set them.");
            }
            entries.Add(new VirtualClusterEntry(cluster.Name,
                HeaderMatcher.CompileAll(cluster.Headers, $"{field}.virtual_clusters[{i}].headers"),
                new VirtualClusterStats(scope.Scope($"vcluster.{cluster.Name}"))));
        }
        if (entries.Count > 0)
        {
            entries.Add(new VirtualClusterEntry("other", [], new VirtualClusterStats(scope.Scope("vcluster.other"))));
        }
        return entries;
    }

    private readonly record struct Levels(HeaderParser Request, HeaderParser Response);
}
