using MeshProxy.Proxy.Http.Router;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Routes in words.</summary>
internal static class RouteTexts
{
    public static string Name(RouteEntry route) => route.Name.Length > 0 ? $"{route.Name} ({route.Match.PathText})" : route.Match.PathText;

    public static string Why(RouteEntry chosen, VirtualHostEntry host)
    {
        if (host.TlsRedirect is { } redirect && ReferenceEquals(redirect, chosen))
        {
            return $"The virtual host requires TLS ({host.RequireTls}), and the request did not come by it.";
        }
        var match = chosen.Match.Definition;
        var also = new List<string>();
        foreach (var header in match.Headers)
        {
            also.Add($"header {header.Name}");
        }
        foreach (var parameter in match.QueryParameters)
        {
            also.Add($"query parameter {parameter.Name}");
        }
        if (match.RuntimeFraction is { } fraction)
        {
            also.Add($"runtime_fraction {MessageTexts.Short(fraction.DefaultValue?.Message)} (this draw is in it)");
        }
        return $"It is the first whose match holds: {string.Join(", ", also.Prepend(chosen.Match.PathText))}.";
    }

    public static IReadOnlyList<string> Describe(RouteEntry route)
    {
        var facts = new List<string>();
        if (route.Redirect is not null)
        {
            facts.Add($"redirect: {MessageTexts.Short(route.Definition.Redirect?.Message)}");
        }
        if (route.Action is not { } action || route.Definition.RouteValue is not { } definition)
        {
            return facts;
        }
        foreach (var entry in definition.WeightedClusters?.Clusters ?? default)
        {
            facts.Add($"weight {entry.Weight ?? 0}: {(entry.Name.Length > 0 ? entry.Name : $"header {entry.ClusterHeader}")}");
        }
        facts.Add($"timeout {MessageTexts.Duration(action.Timeout)}");
        if (definition.RetryPolicy is { } retry)
        {
            facts.Add($"retries: {retry.NumRetries ?? 1} on {(retry.RetryOn.Length > 0 ? retry.RetryOn : "nothing")}");
        }
        AddRewrites(facts, definition);
        foreach (var mirror in definition.RequestMirrorPolicies)
        {
            facts.Add($"mirrored to {mirror.Cluster}{(mirror.RuntimeFraction is { } share ? " " + MessageTexts.Short(share.Message) : "")}");
        }
        foreach (var policy in definition.HashPolicyValue)
        {
            facts.Add($"hash of {MessageTexts.Short(policy.Message)}");
        }
        foreach (var (filter, _) in route.Definition.TypedPerFilterConfig)
        {
            facts.Add($"own settings for {filter}");
        }
        return facts;
    }

    private static void AddRewrites(List<string> facts, Envoy.Config.Route.V3.RouteAction definition)
    {
        if (definition.PrefixRewrite.Length > 0)
        {
            facts.Add($"prefix rewritten to {definition.PrefixRewrite}");
        }
        if (definition.RegexRewrite is { } regex)
        {
            facts.Add($"path rewritten: {MessageTexts.Short(regex.Message)}");
        }
        if (definition.HostRewriteLiteral.Length > 0)
        {
            facts.Add($"host rewritten to {definition.HostRewriteLiteral}");
        }
    }
}
