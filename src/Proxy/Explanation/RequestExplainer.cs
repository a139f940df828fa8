using Envoy.Config.Rbac.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Filters.Rbac;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Xds.Protobuf;
using HttpManager = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using RbacConfig = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using RbacPerRoute = Envoy.Extensions.Filters.Http.Rbac.V3.RBACPerRoute;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What a connection manager does with a request: normalising, virtual host, route, filters, cluster.</summary>
internal sealed class RequestExplainer(DumpServer server, HttpConnectionManagerConfig config, HttpManager definition)
{
    // They decide on headers alone, here as there. What asks others, draws or waits is named and not run.
    private static readonly HashSet<string> DecidedByHeaders =
    [
        "envoy.extensions.filters.http.rbac.v3.RBAC", "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "envoy.extensions.filters.http.cors.v3.Cors", "envoy.extensions.filters.http.csrf.v3.CsrfPolicy",
        "envoy.extensions.filters.http.basic_auth.v3.BasicAuth", "envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", "envoy.extensions.filters.http.header_to_metadata.v3.Config",
        "envoy.extensions.filters.http.set_metadata.v3.Config", "envoy.extensions.filters.http.set_filter_state.v3.Config",
        "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig", "envoy.extensions.filters.http.stateful_session.v3.StatefulSession",
    ];

    private const int WeightsShown = 20;

    /// <returns>The outcome in a sentence without its beginning.</returns>
    public string Explain(TrafficFacts traffic, ImaginedConnection connection, List<ExplanationStep> steps)
    {
        var headers = HeadersOf(traffic.Request!);
        var info = connection.StreamInfo;
        info.StreamId = traffic.Random;
        if (Normalize(headers, connection, info) is { } refused)
        {
            steps.Add(new ExplanationStep("request", "", refused, [], []));
            return refused;
        }
        if (config.Routes.Table(headers, info) is not { } table)
        {
            steps.Add(new ExplanationStep("virtual host", "", NoTable(), [], []));
            return "404, as there is no route table (NR)";
        }
        var route = ExplainRoute(table, headers, info, traffic.Random, steps);
        if (route is null)
        {
            return "404, as no route fits (NR, route_not_found)";
        }
        var stream = new ImaginedStream(connection, config, headers, info);
        _ = stream.Route;
        if (ExplainFilters(stream, connection, headers, info, steps) is { } answered)
        {
            return answered;
        }
        if (stream.RouteCleared)
        {
            route = ExplainRoute(table, headers, info, traffic.Random, steps);
        }
        return route is null ? "404, as no route fits after filters changed the request (NR)"
            : ExplainAction(route, connection, headers, info, stream.UpstreamOverrideHost, steps);
    }

    private static HeaderMap HeadersOf(RequestFacts request)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, request.Method);
        headers.Set(KnownHeader.Authority, request.Authority);
        headers.Set(KnownHeader.Path, request.Path);
        foreach (var (name, value) in request.Headers)
        {
            headers.Add(name.ToLowerInvariant(), value);
        }
        return headers;
    }

    private string? Normalize(HeaderMap headers, ImaginedConnection connection, StreamInfo info)
    {
        var path = headers.GetString(KnownHeader.Path);
        switch (RequestTarget.NormalizePath(config, headers))
        {
            case PathVerdict.Reject:
                return $"400: the path {path} is not accepted (path_normalization_failed)";
            case PathVerdict.Redirect:
                return $"307 to {headers.GetString(KnownHeader.Path)}: the path has escaped slashes";
        }
        RequestTarget.NormalizeHost(config, headers, connection.Info.LocalAddress);
        foreach (var mutation in config.EarlyMutations)
        {
            mutation.Mutate(headers, info);
        }
        var outcome = config.Sanitizer.Sanitize(headers, connection, config.Routes.Table(headers, info));
        if (outcome.RejectStatus != 0)
        {
            return $"{outcome.RejectStatus}: the client's address cannot be told (original_ip_detection)";
        }
        if (!ReferenceEquals(outcome.Remote, connection.Info.RemoteAddress))
        {
            info.Downstream = connection.Info.WithRemoteAddress(outcome.Remote);
        }
        return null;
    }

    private string NoTable() => definition.Rds is { } rds
        ? $"The route table {rds.RouteConfigName} has not come by RDS: every request is answered with 404."
        : "No scope of routes fits the request.";

    private RouteEntry? ExplainRoute(RouteTable table, HeaderMap headers, StreamInfo info, ulong random, List<ExplanationStep> steps)
    {
        var authority = headers.GetString(KnownHeader.Authority);
        if (table.FindHost(headers) is not { } host)
        {
            steps.Add(new ExplanationStep("virtual host", "",
                $"None of the {table.VirtualHosts.Count} virtual hosts of table {table.Name} has a domain for {authority}.", [],
                [.. table.VirtualHosts.Select(static one => new RejectedChoice(one.Name, $"its domains are {Domains(one)}"))]));
            return null;
        }
        steps.Add(new ExplanationStep("virtual host", host.Name, $"{authority} fits its domains {Domains(host)}.",
            [$"route table {table.Name}{(definition.Rds is null ? ", in the listener" : ", by RDS")}"],
            [.. table.VirtualHosts.Where(one => one != host).Select(static one => new RejectedChoice(one.Name, $"its domains are {Domains(one)}"))]));
        var chosen = table.Route(headers, info, random);
        var request = new RouteRequest(headers, info, random, table.IgnoresPathParameters);
        var rejected = new List<RejectedChoice>();
        foreach (var route in host.RouteArray)
        {
            if (chosen is not null && ReferenceEquals(route.Identity, chosen.Identity))
            {
                break;
            }
            rejected.Add(new RejectedChoice(RouteTexts.Name(route), route.Match.WhyNot(request) ?? "an earlier one was taken"));
        }
        steps.Add(chosen is null
            ? new ExplanationStep("route", "", $"None of the {host.RouteArray.Length} routes of {host.Name} matches.", [], rejected)
            : new ExplanationStep("route", RouteTexts.Name(chosen), RouteTexts.Why(chosen, host), RouteTexts.Describe(chosen), rejected));
        return chosen;
    }

    private static string Domains(VirtualHostEntry host)
    {
        var domains = host.Definition.Domains;
        return domains.Count <= 6 ? string.Join(", ", domains) : $"{string.Join(", ", domains.Take(6))} and {domains.Count - 6} more";
    }

    /// <returns>The outcome when a filter answers; null when the request goes on.</returns>
    private string? ExplainFilters(
        ImaginedStream stream, ImaginedConnection connection, HeaderMap headers, StreamInfo info, List<ExplanationStep> steps)
    {
        foreach (var filter in config.Filters)
        {
            var typed = filter.Definition;
            if (typed?.TypeName == "envoy.extensions.filters.http.router.v3.Router")
            {
                continue;
            }
            if (stream.Route?.FilterDisabled(filter.Name) ?? filter.Disabled)
            {
                steps.Add(new ExplanationStep("http filter", filter.Name, "Disabled here.", [], []));
                continue;
            }
            if (filter.Config is RbacFilterConfig rbac)
            {
                if (Authorize(rbac, typed, stream, connection, headers, info, filter.Name, steps) is { } denied)
                {
                    return denied;
                }
                continue;
            }
            if (typed is null || !DecidedByHeaders.Contains(typed.TypeName))
            {
                steps.Add(new ExplanationStep("http filter", filter.Name, FilterTexts.Of(typed), FilterTexts.Details(typed), []));
                continue;
            }
            if (!stream.Run(filter))
            {
                steps.Add(new ExplanationStep("http filter", filter.Name, "It waits for something from outside before it decides.", [], []));
                continue;
            }
            if (stream.Reply is { } reply)
            {
                var sentence = $"{reply.Code} by {filter.Name}: {reply.Details}";
                steps.Add(new ExplanationStep("http filter", filter.Name, $"It answers {reply.Code}: {reply.Details}.", [], []));
                return sentence;
            }
            steps.Add(new ExplanationStep("http filter", filter.Name, "It lets the request pass.", [], []));
        }
        return null;
    }

    private static string? Authorize(RbacFilterConfig rbac, Any? typed, ImaginedStream stream, ImaginedConnection connection,
        HeaderMap headers, StreamInfo info, string name, List<ExplanationStep> steps)
    {
        var own = stream.Route?.MostSpecificPerFilterConfig(name) as RbacRouteRules;
        var message = typed is not null && typed.TryUnpack<RbacConfig>(out var found) ? found : RbacConfig.New();
        var policies = own is null && message.Rules is { } rules ? rules.Policies : RBAC.New().Policies;
        var context = new RbacContext(connection, info, headers, () => stream.Route);
        var decision = PolicyExplainer.Explain("http filter", name, (own ?? rbac.Rules).Rules, policies, context, steps);
        // The filter itself also leaves its metadata, which later ones may ask.
        stream.Run(new HttpFilterEntry(name, rbac, false));
        return decision is { Allowed: false } denied
            ? $"403 by {name}: {RbacRules.Details(denied.Policy)}" : null;
    }

    private string ExplainAction(RouteEntry route, ImaginedConnection connection, HeaderMap headers, StreamInfo info,
        (string Address, bool Strict)? overrideHost, List<ExplanationStep> steps)
    {
        if (route.Redirect is not null)
        {
            return "a redirect, as the route says";
        }
        if (route.DirectResponse is { } direct)
        {
            return $"{direct.Status} by the route itself (direct_response)";
        }
        var clusters = new ClusterExplainer(server);
        string? problem = null;
        var names = new List<string>();
        foreach (var (variant, share) in Variants(route, headers, info))
        {
            var hash = variant.Action?.Hash?.Hash(headers, info, static _ => { });
            var balancing = new ImaginedBalancing(connection, headers, info, hash, variant.MetadataMatch, overrideHost);
            names.Add(share.Length > 0 ? $"{variant.ClusterName} ({share})" : variant.ClusterName ?? "");
            problem ??= clusters.Explain(variant.ClusterName ?? "", share, balancing, steps) is { } wrong
                ? $"{(wrong.EndsWith("(NC)", StringComparison.Ordinal) ? route.Action?.ClusterNotFoundCode ?? 503 : 503)}, as {wrong}" : null;
        }
        return problem ?? $"forwarded to {string.Join(" or ", names)}";
    }

    // A weighted route is asked once within each weight's interval.
    private static List<(RouteEntry Variant, string Share)> Variants(RouteEntry route, HeaderMap headers, StreamInfo info)
    {
        if (route.Definition.RouteValue?.WeightedClusters is not { } weighted || route.Identity is not RouteEntry whole)
        {
            return [(route, "")];
        }
        var variants = new List<(RouteEntry, string)>();
        var total = 0UL;
        foreach (var entry in weighted.Clusters)
        {
            total += entry.Weight ?? 0;
        }
        var start = 0UL;
        foreach (var entry in weighted.Clusters.Take(WeightsShown))
        {
            var weight = entry.Weight ?? 0;
            if (weight > 0)
            {
                var variant = whole.Choose(new RouteRequest(headers, info, start, whole.Vhost.IgnoresPathParameters));
                variants.Add((variant, $"{weight} of {total}"));
            }
            start += weight;
        }
        return variants;
    }
}
