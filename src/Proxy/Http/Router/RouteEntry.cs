using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Config.Route.V3.Route;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// One compiled route. A weighted cluster's entry, and a route whose cluster a header names, are variants of their route:
/// copies with another cluster and what the entry overrides.
/// </summary>
internal sealed class RouteEntry : Route
{
    private readonly PerFilterConfigs _configs;
    private PerFilterConfigs _clusterConfigs = PerFilterConfigs.Empty;
    private string? _clusterName;

    public RouteEntry(Config definition, VirtualHostEntry virtualHost, RouteMatch match, PerFilterConfigs configs)
    {
        Definition = definition;
        Vhost = virtualHost;
        Match = match;
        _configs = configs;
        Identity = this;
        Metadata = MetadataConversion.ToMetadata(definition.Metadata);
        Name = definition.Name;
    }

    public Config Definition { get; }

    public VirtualHostEntry Vhost { get; }

    public RouteMatch Match { get; }

    /// <summary>The same for all variants of one route.</summary>
    public object Identity { get; }

    public override string Name { get; }

    public override VirtualHost VirtualHost => Vhost;

    public override string? ClusterName => _clusterName;

    public override DynamicMetadata Metadata { get; }

    internal override IReadOnlyList<RateLimits.RateLimitPolicy> RateLimits => RateLimitPolicies;

    internal override bool IncludesVirtualHostRateLimits => Definition.RouteValue?.IncludeVhRateLimits ?? false;

    public IReadOnlyList<RateLimits.RateLimitPolicy> RateLimitPolicies { get; init; } = [];

    /// <summary>The route action; null for redirects, direct responses and what forwards nothing.</summary>
    public RouteActionEntry? Action { get; init; }

    public Redirect? Redirect { get; init; }

    public DirectResponse? DirectResponse { get; init; }

    /// <summary>Request operations of all levels in the order they are done.</summary>
    public HeaderParser[] RequestHeaders { get; private set; } = [];

    public HeaderParser[] ResponseHeaders { get; private set; } = [];

    /// <summary>host_rewrite_literal of the weighted cluster; it replaces the route's rewrite, and no original host is noted.</summary>
    public string? WeightedHostRewrite { get; private set; }

    /// <summary>envoy.lb criteria sorted by key; null if there are none.</summary>
    public IReadOnlyList<KeyValuePair<string, MetadataValue>>? MetadataMatch { get; private set; }

    /// <summary>Bytes of a request kept for retries, mirrors and redirects; null: the connection's limit.</summary>
    public ulong? BodyBufferLimit { get; init; }

    public Decorator? Decorator { get; init; }

    /// <summary>Statistics of a route with stat_prefix; null without.</summary>
    public VirtualClusterStats? Stats { get; init; }

    /// <summary>What the route changes of its HCM's tracing; null without.</summary>
    public RouteTracing? Tracing { get; init; }

    public RouteEntry Complete(string? cluster, HeaderParser[] request, HeaderParser[] response,
        IReadOnlyList<KeyValuePair<string, MetadataValue>>? metadataMatch)
    {
        _clusterName = cluster;
        RequestHeaders = request;
        ResponseHeaders = response;
        MetadataMatch = metadataMatch;
        return this;
    }

    /// <summary>A variant that goes to another cluster.</summary>
    public RouteEntry WithCluster(string cluster)
    {
        var copy = (RouteEntry)MemberwiseClone();
        copy._clusterName = cluster;
        return copy;
    }

    /// <summary>A variant for an entry of weighted_clusters.</summary>
    public RouteEntry WithWeighted(string cluster, PerFilterConfigs configs, HeaderParser[] request, HeaderParser[] response,
        IReadOnlyList<KeyValuePair<string, MetadataValue>>? metadataMatch, string? hostRewrite)
    {
        var copy = WithCluster(cluster);
        copy._clusterConfigs = configs;
        copy.RequestHeaders = request;
        copy.ResponseHeaders = response;
        copy.MetadataMatch = metadataMatch;
        copy.WeightedHostRewrite = hostRewrite;
        return copy;
    }

    /// <summary>The route with its cluster decided for one request.</summary>
    public RouteEntry Choose(in RouteRequest request) => Action is null ? this : Action.Clusters.Choose(this, request);

    public void FinalizeRequestHeaders(HeaderMap headers, in LogContext context)
    {
        foreach (var parser in RequestHeaders)
        {
            parser.Evaluate(headers, context);
        }
    }

    public void FinalizeResponseHeaders(HeaderMap headers, in LogContext context)
    {
        foreach (var parser in ResponseHeaders)
        {
            parser.Evaluate(headers, context);
        }
    }

    public override void TraversePerFilterConfig(string filterName, Action<object> visit)
    {
        Visit(Vhost.Table.Configs.Get(filterName), visit);
        Visit(Vhost.Configs.Get(filterName), visit);
        Visit(_configs.Get(filterName), visit);
        Visit(_clusterConfigs.Get(filterName), visit);
    }

    public override object? MostSpecificPerFilterConfig(string filterName) =>
        _clusterConfigs.Get(filterName) ?? _configs.Get(filterName) ?? Vhost.Configs.Get(filterName)
        ?? Vhost.Table.Configs.Get(filterName);

    public override bool? FilterDisabled(string filterName) =>
        _clusterConfigs.Disabled(filterName) ?? _configs.Disabled(filterName) ?? Vhost.Configs.Disabled(filterName)
        ?? Vhost.Table.Configs.Disabled(filterName);

    private static void Visit(object? config, Action<object> visit)
    {
        if (config is not null)
        {
            visit(config);
        }
    }
}

/// <summary>Name of the span of a route's requests, and whether clients and backends are told.</summary>
internal sealed record Decorator(string Operation, bool Propagate);
