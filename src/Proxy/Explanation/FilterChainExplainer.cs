using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Explanation;

/// <summary>
/// Which filter chain a connection takes, and why not the others. Reasons come from the matcher itself: it is asked with one
/// criterion after the other, and the first that changes its answer is the reason.
/// </summary>
internal static class FilterChainExplainer
{
    private static readonly string[] Criteria =
    [
        "destination port", "destination address", "server name (SNI)", "transport protocol", "application protocol (ALPN)",
        "direct source address", "source type", "source address", "source port",
    ];

    public static CompiledFilterChain? Explain(
        CompiledListener listener, ConnectionInfo info, StreamInfo streamInfo, List<ExplanationStep> steps)
    {
        var chosen = listener.FindFilterChain(info, streamInfo);
        if (ReferenceEquals(chosen, CompiledFilterChain.Nowhere))
        {
            chosen = null;
        }
        var isDefault = chosen is not null && ReferenceEquals(chosen, listener.DefaultFilterChain);
        var rejected = listener.MatchTree is null ? Rejected(listener, info, isDefault ? null : chosen) : [];
        var why = chosen is null ? $"No filter chain of {listener.Name} fits: the connection is closed (NR, filter_chain_not_found)."
            : isDefault ? "No filter chain matches, so the listener's default filter chain serves."
            : listener.MatchTree is not null ? "The listener's filter_chain_matcher chose it."
            : Wanted(chosen);
        steps.Add(new ExplanationStep("filter chain", chosen is null ? "" : NameOf(chosen, listener), why, Facts(info), rejected));
        return chosen;
    }

    public static string NameOf(CompiledFilterChain chain, CompiledListener listener)
    {
        var index = listener.FilterChains.ToList().IndexOf(chain);
        if (index < 0)
        {
            return "default filter chain";
        }
        return chain.Name.Length == 0 ? $"filter chain {index}"
            : listener.FilterChains.Count(other => other.Name == chain.Name) > 1 ? $"{chain.Name} (filter chain {index})" : chain.Name;
    }

    private static List<string> Facts(ConnectionInfo info)
    {
        var facts = new List<string>
        {
            $"from {Addresses.Format(info.RemoteAddress)} to {Addresses.Format(info.LocalAddress)}, {info.DetectedTransportProtocol}"
                + (info.RequestedServerName.Length > 0 ? $", SNI {info.RequestedServerName}" : "")
                + (info.RequestedApplicationProtocols.Count > 0 ? $", {string.Join(",", info.RequestedApplicationProtocols)}" : ""),
        };
        return facts;
    }

    private static string Wanted(CompiledFilterChain chain)
    {
        var match = new Envoy.Config.Listener.V3.FilterChain(chain.Definition).FilterChainMatch;
        return match is { } present && !present.Message.Equals(Envoy.Config.Listener.V3.FilterChainMatch.New().Message)
            ? $"It is the most specific that fits: {MessageTexts.Short(present.Message)}."
            : "It matches everything, and nothing more specific fits.";
    }

    private static List<RejectedChoice> Rejected(CompiledListener listener, ConnectionInfo info, CompiledFilterChain? chosen)
    {
        var rejected = new List<RejectedChoice>();
        foreach (var chain in listener.FilterChains)
        {
            if (!ReferenceEquals(chain, chosen))
            {
                rejected.Add(new RejectedChoice(NameOf(chain, listener), WhyNot(chain, listener, info, chosen)));
            }
        }
        return rejected;
    }

    private static string WhyNot(CompiledFilterChain chain, CompiledListener listener, ConnectionInfo info, CompiledFilterChain? chosen)
    {
        var criteria = CriteriaOf(chain, listener.Name);
        for (var count = 1; count <= Criteria.Length; count++)
        {
            var alone = new FilterChainMatcher();
            alone.Add(Upto(criteria, count), chain);
            if (alone.Find(info) is null)
            {
                return $"its {Criteria[count - 1]} is {Shown(criteria, count - 1)}";
            }
        }
        return chosen is null
            ? LedAway(criteria, listener, info, chain)
            : $"{NameOf(chosen, listener)} is more specific at {Criteria[DecidedAt(criteria, CriteriaOf(chosen, listener.Name), chain, chosen, info)]}";
    }

    // The chain fits by itself: another one that is more specific at an early criterion took the connection there, and a
    // later criterion of that one failed. Matching never goes back.
    private static string LedAway(FilterChainCriteria criteria, CompiledListener listener, ConnectionInfo info, CompiledFilterChain chain)
    {
        foreach (var other in listener.FilterChains)
        {
            if (ReferenceEquals(other, chain))
            {
                continue;
            }
            var both = new FilterChainMatcher();
            both.Add(criteria, chain);
            if (both.Add(CriteriaOf(other, listener.Name), other) is null && !ReferenceEquals(both.Find(info), chain))
            {
                return $"it would fit, but {NameOf(other, listener)} is more specific at an earlier criterion, and matching never goes back";
            }
        }
        return "it would fit, but other chains are more specific at earlier criteria, and matching never goes back";
    }

    private static int DecidedAt(
        FilterChainCriteria left, FilterChainCriteria right, CompiledFilterChain chain, CompiledFilterChain chosen, ConnectionInfo info)
    {
        for (var count = 1; count < Criteria.Length; count++)
        {
            var both = new FilterChainMatcher();
            both.Add(Upto(left, count), chain);
            if (both.Add(Upto(right, count), chosen) is null && ReferenceEquals(both.Find(info), chosen))
            {
                return count - 1;
            }
        }
        return Criteria.Length - 1;
    }

    private static FilterChainCriteria CriteriaOf(CompiledFilterChain chain, string listener) =>
        FilterChainCriteriaCompiler.Compile(new Envoy.Config.Listener.V3.FilterChain(chain.Definition).FilterChainMatch, listener);

    /// <summary>The first <paramref name="count"/> criteria in Envoy's order; the others match anything.</summary>
    private static FilterChainCriteria Upto(FilterChainCriteria criteria, int count) => new()
    {
        DestinationPort = count > 0 ? criteria.DestinationPort : 0,
        DestinationPrefixes = count > 1 ? criteria.DestinationPrefixes : [null],
        ServerNames = count > 2 ? criteria.ServerNames : [""],
        TransportProtocol = count > 3 ? criteria.TransportProtocol : "",
        ApplicationProtocols = count > 4 ? criteria.ApplicationProtocols : [""],
        DirectSourcePrefixes = count > 5 ? criteria.DirectSourcePrefixes : [null],
        SourceType = count > 6 ? criteria.SourceType : ConnectionSource.Any,
        SourcePrefixes = count > 7 ? criteria.SourcePrefixes : [null],
        SourcePorts = count > 8 ? criteria.SourcePorts : [0],
    };

    private static string Shown(FilterChainCriteria criteria, int index) => index switch
    {
        0 => criteria.DestinationPort.ToString(),
        1 => string.Join(", ", criteria.DestinationPrefixes),
        2 => string.Join(", ", criteria.ServerNames),
        3 => criteria.TransportProtocol,
        4 => string.Join(", ", criteria.ApplicationProtocols),
        5 => string.Join(", ", criteria.DirectSourcePrefixes),
        6 => criteria.SourceType == ConnectionSource.SameIpOrLoopback ? "the same address or loopback" : "external",
        7 => string.Join(", ", criteria.SourcePrefixes),
        _ => string.Join(", ", criteria.SourcePorts),
    };
}
