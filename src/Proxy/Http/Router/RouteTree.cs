using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using Matcher = Xds.Type.Matcher.V3.Matcher;
using RouteConfig = Envoy.Config.Route.V3.Route;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>VirtualHost.matcher: a match tree whose actions are a route or a list of routes tried in order.</summary>
internal sealed class RouteTree
{
    // Envoy's route tables look at nothing else.
    private const string HeaderInput = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
    private const string FilterStateInput = "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput";

    private readonly MatchTree<RouteEntry[]> _tree;

    public RouteTree(Matcher matcher, FactoryContext context, Func<RouteConfig, string, RouteEntry> compile, string field) =>
        _tree = MatchTree<RouteEntry[]>.Compile(
            matcher, context, (any, name) => RoutesOf(any, compile, name), field, static type => type is HeaderInput or FilterStateInput);

    public RouteEntry? Find(in RouteRequest request)
    {
        var context = new MatchContext(request.StreamInfo) { RequestHeaders = request.Headers };
        var found = _tree.Match(context);
        if (found is null)
        {
            return null;
        }
        foreach (var route in found)
        {
            if (route.Match.Matches(request))
            {
                return route.Choose(request);
            }
        }
        return null;
    }

    private static RouteEntry[] RoutesOf(
        MeshProxy.Xds.Protobuf.Any any, Func<RouteConfig, string, RouteEntry> compile, string field)
    {
        if (any.TryUnpack<RouteConfig>(out var route))
        {
            return [compile(route, field)];
        }
        if (!any.TryUnpack<Envoy.Config.Route.V3.RouteList>(out var list))
        {
            throw new ConfigurationException($"{field}: a {any.TypeName} is no action here; use a Route or a RouteList.");
        }
        var routes = new RouteEntry[list.Routes.Count];
        for (var i = 0; i < routes.Length; i++)
        {
            routes[i] = compile(list.Routes[i], $"{field}[{i}]");
        }
        return routes;
    }
}
