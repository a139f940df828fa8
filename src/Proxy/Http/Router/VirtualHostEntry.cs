using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.VirtualHost;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled virtual host.</summary>
internal sealed class VirtualHostEntry(Config definition, RouteTable table, PerFilterConfigs configs, IStatsScope? scope) : VirtualHost
{
    public Config Definition { get; } = definition;

    public RouteTable Table { get; } = table;

    public PerFilterConfigs Configs { get; } = configs;

    /// <summary>`vhost.name.`: virtual clusters and routes with a stat_prefix; null for asynchronous clients.</summary>
    public IStatsScope? Scope { get; } = scope;

    public override string Name => Definition.Name;

    public override bool IgnoresPathParameters => Table.IgnoresPathParameters;

    public override DynamicMetadata Metadata { get; } = MetadataConversion.ToMetadata(definition.Metadata);

    internal override IReadOnlyList<RateLimits.RateLimitPolicy> RateLimits => RateLimitPolicies;

    public IReadOnlyList<RateLimits.RateLimitPolicy> RateLimitPolicies { get; init; } = [];

    /// <summary>In order of configuration; the first that matches serves.</summary>
    public RouteEntry[] RouteArray { get; set; } = [];

    /// <summary>VirtualHost.matcher, instead of the list.</summary>
    public RouteTree? Tree { get; set; }

    /// <summary>Answers what require_tls refuses; null when it is not set.</summary>
    public RouteEntry? TlsRedirect { get; set; }

    public IReadOnlyList<VirtualClusterEntry> VirtualClusters { get; init; } = [];

    public Config.TlsRequirementType RequireTls => Definition.RequireTls;

    public bool IncludeAttemptCount { get; } = definition.IncludeRequestAttemptCount;

    public bool IncludeAttemptCountInResponse { get; } = definition.IncludeAttemptCountInResponse;

    public bool IncludeIsTimeoutRetry { get; } = definition.IncludeIsTimeoutRetryHeader;

    /// <summary>The first whose matchers all hold, else `other` when there is any; null when there are none.</summary>
    public VirtualClusterEntry? VirtualClusterFor(HeaderMap headers)
    {
        foreach (var entry in VirtualClusters)
        {
            if (Matching.HeaderMatcher.MatchAll(entry.Headers, headers))
            {
                return entry;
            }
        }
        return null;
    }
}

/// <summary>A compiled route.v3.VirtualCluster with its statistics.</summary>
/// <param name="Headers">Empty for the catch-all `other`, which is last.</param>
internal sealed record VirtualClusterEntry(string Name, Matching.HeaderMatcher[] Headers, VirtualClusterStats Stats);
