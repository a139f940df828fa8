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
    public static void Describe(in RateLimitContext context, VirtualHostRateLimits option, uint stage,
        List<RateLimitDescriptor> descriptors, bool onStreamDone = false)
    {
        if (context.Route is not { } route)
        {
            return;
        }
        RateLimitPolicy.Describe(route.RateLimits, stage, context, descriptors, onStreamDone);
        // The route's own word counts before the filter's.
        var effective = route.IncludesVirtualHostRateLimits ? VirtualHostRateLimits.Include : option;
        if (effective == VirtualHostRateLimits.Include
            || (effective == VirtualHostRateLimits.Override && route.RateLimits.Count == 0))
        {
            RateLimitPolicy.Describe(route.VirtualHost.RateLimits, stage, context, descriptors, onStreamDone);
        }
    }
}
