using MeshProxy.Proxy.Http.Router;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>extensions.common.ratelimit.v3.VhRateLimitsOptions: how a virtual host's policies count beside the route's. Same numbers.</summary>
internal enum VirtualHostRateLimits
{
    /// <summary>The route's if it has any, else the virtual host's.</summary>
    Override,
    Include,
    Ignore,
}

/// <summary>The policies that routes and virtual hosts configure.</summary>
internal static class RouteRateLimits
{
    public static void Describe(
        in RateLimitContext context, VirtualHostRateLimits option, uint stage, List<RateLimitDescriptor> descriptors)
    {
        if (context.Route is not { } route)
        {
            return;
        }
        RateLimitPolicy.Describe(route.RateLimits, stage, context, descriptors);
        var include = option == VirtualHostRateLimits.Include || route.IncludesVirtualHostRateLimits
            || (option == VirtualHostRateLimits.Override && route.RateLimits.Count == 0);
        if (include && option != VirtualHostRateLimits.Ignore)
        {
            RateLimitPolicy.Describe(route.VirtualHost.RateLimits, stage, context, descriptors);
        }
    }
}
