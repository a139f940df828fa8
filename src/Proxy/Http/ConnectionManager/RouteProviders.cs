using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Makes the route provider of a manager: inline, RDS, or scoped.</summary>
internal static class RouteProviders
{
    public static IRouteProvider Create(Config config, FactoryContext context, IStatsScope scope)
    {
        switch (config.RouteSpecifierCase)
        {
            case Config.RouteSpecifierOneofCase.RouteConfig:
                return new StaticRoutes(RouteTableCompiler.Compile(config.RouteConfig!.Value, context, validateClusters: true));
            case Config.RouteSpecifierOneofCase.Rds:
                var rds = config.Rds!.Value;
                var table = RouteSubscription.Follow(
                    rds.ConfigSource ?? throw new ConfigurationException("rds.config_source: is missing; set it."),
                    rds.RouteConfigName, context, scope, out var use);
                context.Own(use);
                return table;
            case Config.RouteSpecifierOneofCase.ScopedRoutes:
                var scopes = new ScopedRoutes(config.ScopedRoutes!.Value, context, scope);
                context.Own(scopes);
                return scopes;
            default:
                throw new ConfigurationException("route_specifier: no routes are named; set route_config, rds or scoped_routes.");
        }
    }

    private sealed class StaticRoutes(RouteTable table) : IRouteProvider
    {
        public RouteTable? Table(HeaderMap headers, StreamInfo info) => table;
    }
}
