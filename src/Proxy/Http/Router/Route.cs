using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route of a virtual host, as chosen for one request (weighted cluster already drawn).</summary>
public abstract class Route
{
    public abstract string Name { get; }

    public abstract VirtualHost VirtualHost { get; }

    /// <summary>Cluster name, or null for redirects and direct responses.</summary>
    public abstract string? ClusterName { get; }

    /// <summary>route.metadata.</summary>
    public abstract DynamicMetadata Metadata { get; }

    /// <summary>route.rate_limits.</summary>
    internal virtual IReadOnlyList<RateLimits.RateLimitPolicy> RateLimits => [];

    /// <summary>route.include_vh_rate_limits.</summary>
    internal virtual bool IncludesVirtualHostRateLimits => false;

    /// <summary>Per-route configuration of a filter from least to most specific: table, virtual host, route, weighted cluster.</summary>
    public abstract void TraversePerFilterConfig(string filterName, Action<object> visit);

    public abstract object? MostSpecificPerFilterConfig(string filterName);

    /// <summary>Whether typed_per_filter_config disables (true), enables (false) or says nothing (null) of the filter.</summary>
    public abstract bool? FilterDisabled(string filterName);
}

/// <summary>A compiled virtual host.</summary>
public abstract class VirtualHost
{
    public abstract string Name { get; }

    /// <summary>The table matches paths without `;name=value` parameters (ignore_path_parameters_in_path_matching).</summary>
    public abstract bool IgnoresPathParameters { get; }

    /// <summary>virtual_host.rate_limits.</summary>
    internal virtual IReadOnlyList<RateLimits.RateLimitPolicy> RateLimits => [];

    public abstract DynamicMetadata Metadata { get; }
}
