using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Cli.Views;

/// <summary>Filter chains in the words of istioctl: what they match and where they lead.</summary>
internal static class ChainsView
{
    public static IEnumerable<(string Match, string Destination)> Of(Listener listener)
    {
        var chains = listener.FilterChains.Select(static chain => (MatchOf(chain.FilterChainMatch), DestinationOf(chain)));
        return listener.DefaultFilterChain is { } fallback ? chains.Append(("ALL", DestinationOf(fallback))) : chains;
    }

    public static string TypeOf(Listener listener)
    {
        var all = listener.DefaultFilterChain is { } fallback ? listener.FilterChains.Append(fallback) : listener.FilterChains;
        var filters = all.SelectMany(static chain => chain.Filters).ToList();
        var http = filters.Any(static filter => filter.TypedConfig?.Is<HttpConnectionManager>() == true);
        var tcp = filters.Any(static filter => filter.TypedConfig?.Is<TcpProxy>() == true);
        return http && tcp ? "HTTP+TCP" : http ? "HTTP" : tcp ? "TCP" : "UNKNOWN";
    }

    private static string MatchOf(FilterChainMatch? match)
    {
        if (match is not { } given)
        {
            return "ALL";
        }
        var parts = new List<string>();
        if (given.ServerNames.Count > 0)
        {
            parts.Add($"SNI: {string.Join(",", given.ServerNames)}");
        }
        if (given.TransportProtocol.Length > 0)
        {
            parts.Add($"Trans: {given.TransportProtocol}");
        }
        if (given.ApplicationProtocols.Count > 0)
        {
            parts.Add($"App: {Protocols(given)}");
        }
        var port = given.DestinationPort is { } wanted ? $":{wanted}" : "";
        if (given.PrefixRanges.Count > 0)
        {
            parts.Add($"Addr: {string.Join(",", given.PrefixRanges.Select(static range => Range(range)))}{port}");
        }
        else if (port.Length > 0)
        {
            parts.Add($"Addr: *{port}");
        }
        return parts.Count > 0 ? string.Join("; ", parts) : "ALL";
    }

    // The one sum that istioctl writes.
    private static string Protocols(FilterChainMatch match) =>
        string.Join(",", match.ApplicationProtocols) is var all && all == "istio-peer-exchange,istio" ? "TCP TLS" : all;

    private static string Range(Envoy.Config.Core.V3.CidrRange range) => $"{range.AddressPrefix}/{range.PrefixLen ?? 0}";

    private static string DestinationOf(FilterChain chain)
    {
        foreach (var filter in chain.Filters)
        {
            if (filter.TypedConfig is not { } typed)
            {
                continue;
            }
            if (typed.TryUnpack<HttpConnectionManager>(out var http))
            {
                return http.Rds is { } rds ? $"Route: {rds.RouteConfigName}"
                    : http.RouteConfig is { } routes ? DestinationOf(routes) : "HTTP";
            }
            if (typed.TryUnpack<TcpProxy>(out var tcp))
            {
                return DestinationOf(tcp);
            }
        }
        return "Non-HTTP/Non-TCP";
    }

    private static string DestinationOf(TcpProxy tcp) => tcp.WeightedClusters is { } weighted
        ? string.Join("; ", weighted.Clusters.Select(static one => $"Cluster: {one.Name} weight {one.Weight}"))
        : tcp.Cluster.Contains("PassthroughCluster", StringComparison.Ordinal)
            || tcp.Cluster.Contains("BlackHoleCluster", StringComparison.Ordinal) ? tcp.Cluster : $"Cluster: {tcp.Cluster}";

    private static string DestinationOf(RouteConfiguration routes)
    {
        var paths = new List<string>();
        foreach (var route in routes.VirtualHosts.SelectMany(static host => host.Routes))
        {
            if (route.RouteValue?.Cluster is { Length: > 0 } cluster && cluster.Contains("PassthroughCluster", StringComparison.Ordinal))
            {
                return cluster;
            }
            if (route.RouteValue?.Cluster is { Length: > 0 } inbound && inbound.StartsWith("inbound|", StringComparison.Ordinal))
            {
                return $"Cluster: {inbound}";
            }
            paths.Add(RoutesView.MatchOf(route.Match));
        }
        return $"Inline Route: {string.Join(", ", paths.Distinct())}";
    }
}
