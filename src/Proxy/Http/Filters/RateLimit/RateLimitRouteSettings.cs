using Envoy.Extensions.Filters.Http.Ratelimit.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.RateLimits;

namespace MeshProxy.Proxy.Http.Filters.RateLimit;

/// <summary>RateLimitPerRoute: of one level.</summary>
internal sealed class RateLimitRouteSettings
{
    public RateLimitRouteSettings(RateLimitPerRoute config, FactoryContext context)
    {
        // Envoy's own interface marks it as not implemented.
        if (config.OverrideOption != RateLimitPerRoute.OverrideOptions.Default)
        {
            throw new ConfigurationException("ratelimit.override_option is not supported: leave it out.");
        }
        VirtualHost = (VirtualHostRateLimits)config.VhRateLimits;
        Policies = RateLimitPolicy.CompileAll(config.RateLimits, context, "ratelimit.rate_limits");
        Domain = config.Domain;
    }

    public VirtualHostRateLimits VirtualHost { get; }

    /// <summary>In the place of all others; none leaves them.</summary>
    public RateLimitPolicy[] Policies { get; }

    /// <summary>Empty is the filter's.</summary>
    public string Domain { get; }
}
