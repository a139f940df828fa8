using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Accepts or refuses one target of an internal redirect.</summary>
internal abstract class RedirectPredicate
{
    public abstract bool Accept(RedirectState state, RouteEntry current, RouteEntry target, bool downstreamIsHttps, bool targetIsHttps);

    public static RedirectPredicate Compile(Envoy.Config.Core.V3.TypedExtensionConfig config, string field)
    {
        switch (config.TypedConfig?.TypeName)
        {
            case "envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig":
                return new PreviousRoutes();
            case "envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig":
                return new SafeCrossScheme();
            case "envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig":
                var list = config.TypedConfig
                    .Unpack<Envoy.Extensions.InternalRedirect.AllowListedRoutes.V3.AllowListedRoutesConfig>();
                return new AllowListedRoutes([.. list.AllowedRouteNames]);
            default:
                throw new ConfigurationException($"{field}: '{config.Name}' is no known internal redirect predicate; remove it.");
        }
    }

    private sealed class PreviousRoutes : RedirectPredicate
    {
        public override bool Accept(RedirectState state, RouteEntry current, RouteEntry target, bool downstreamIsHttps, bool targetIsHttps)
        {
            // Each route remembers where its own redirects led, and leads nowhere twice.
            return state.VisitedRoutes.Add((current.Identity, target.Identity));
        }
    }

    private sealed class SafeCrossScheme : RedirectPredicate
    {
        public override bool Accept(RedirectState state, RouteEntry current, RouteEntry target, bool downstreamIsHttps, bool targetIsHttps) =>
            downstreamIsHttps || !targetIsHttps;
    }

    private sealed class AllowListedRoutes(HashSet<string> names) : RedirectPredicate
    {
        public override bool Accept(RedirectState state, RouteEntry current, RouteEntry target, bool downstreamIsHttps, bool targetIsHttps) =>
            names.Contains(target.Name);
    }
}
