using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Network.Rbac;
using MeshProxy.Proxy.Network.TcpProxy;
using MeshProxy.Proxy.Security.Rbac;
using HttpManager = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;

namespace MeshProxy.Proxy.Explanation;

/// <summary>
/// Says what becomes of traffic by the configuration in a dump, and why. The dump is compiled by the compilers of the data
/// path, and its matchers and filters are asked; nothing here decides anything itself.
/// </summary>
public static class Explainer
{
    public static TrafficExplanation Explain(ConfigurationDump dump, TrafficFacts traffic)
    {
        using var server = new DumpServer(dump);
        var steps = new List<ExplanationStep>();
        var outcome = Follow(server, traffic, steps);
        return new TrafficExplanation(outcome, steps, Warnings(dump, server));
    }

    private static string Follow(DumpServer server, TrafficFacts traffic, List<ExplanationStep> steps)
    {
        var (listener, info) = new ListenerExplainer(server).Explain(traffic, steps);
        if (listener is null)
        {
            return server.Refusals.Count == 0
                ? $"Nothing takes connections to {Addresses.Format(traffic.Destination)}."
                : $"Nothing takes connections to {Addresses.Format(traffic.Destination)}, of what this build can serve of the dump.";
        }
        var connection = new ImaginedConnection(server.Loop, info, traffic.Tls ? new ImaginedTls(traffic) : null);
        connection.StreamInfo.Listener = listener.Facts;
        if (FilterChainExplainer.Explain(listener, info, connection.StreamInfo, steps) is not { } chain)
        {
            return Refusal(listener, traffic);
        }
        connection.StreamInfo.FilterChainName = chain.Name;
        connection.StreamInfo.FilterChainMetadata = chain.Metadata;
        if (TlsExplainer.Explain(chain, traffic, steps) is { } failed)
        {
            return $"The connection fails: {failed}.";
        }
        return FollowChain(server, chain, connection, traffic, steps);
    }

    private static string Refusal(CompiledListener listener, TrafficFacts traffic)
    {
        var wantsTls = listener.FilterChains.Any(static chain => ((NamedTransport)chain.TransportSocket).ImplementsSecureTransport);
        return !traffic.Tls && wantsTls
            ? $"The connection is closed: {listener.Name} has no filter chain for plaintext to {Addresses.Format(traffic.Destination)}, only for TLS (as PeerAuthentication STRICT makes it)."
            : $"The connection is closed: {listener.Name} has no filter chain for it (NR).";
    }

    private static string FollowChain(
        DumpServer server, CompiledFilterChain chain, ImaginedConnection connection, TrafficFacts traffic, List<ExplanationStep> steps)
    {
        var definition = new Envoy.Config.Listener.V3.FilterChain(chain.Definition);
        for (var i = 0; i < chain.Filters.Count; i++)
        {
            var filter = definition.Filters[i];
            switch (chain.Filters[i])
            {
                case RbacNetworkConfig rbac:
                    var message = filter.TypedConfig!.Unpack<NetworkRbac>();
                    var policies = (message.Rules ?? Envoy.Config.Rbac.V3.RBAC.New()).Policies;
                    var context = new RbacContext(connection, connection.StreamInfo, null, null);
                    if (PolicyExplainer.Explain("network filter", filter.Name, rbac.Rules, policies, context, steps) is { Allowed: false } denied)
                    {
                        return $"The connection is closed by {filter.Name}: {RbacRules.Details(denied.Policy)}.";
                    }
                    break;
                case HttpConnectionManagerFilter when traffic.Tls && !((NamedTransport)chain.TransportSocket).ImplementsSecureTransport:
                    return "The client's TLS meets a chain that reads plain HTTP: the answer is 400, and the connection is closed (DPE).";
                case HttpConnectionManagerFilter http:
                    return FollowHttp(server, http, filter.TypedConfig!.Unpack<HttpManager>(), connection, traffic, steps);
                case TcpProxyConfig tcp:
                    return FollowTcp(server, tcp, connection, steps);
                default:
                    steps.Add(new ExplanationStep("network filter", filter.Name, FilterTexts.Of(filter.TypedConfig), FilterTexts.Details(filter.TypedConfig), []));
                    break;
            }
        }
        return "The connection is taken, and no filter forwards it.";
    }

    private static string FollowHttp(DumpServer server, HttpConnectionManagerFilter http, HttpManager definition,
        ImaginedConnection connection, TrafficFacts traffic, List<ExplanationStep> steps)
    {
        steps.Add(new ExplanationStep("network filter", "http_connection_manager", $"The chain reads HTTP ({EnumTexts.Of(definition.Message, "codec_type")}), statistics http.{definition.StatPrefix}.", [], []));
        return traffic.Request is null
            ? "The chain reads HTTP; give a method, a path or headers to see the route of a request, for bytes of another protocol are answered with 400."
            : $"The request is answered: {new RequestExplainer(server, http.Config, definition).Explain(traffic, connection, steps)}."
                .Replace("is answered: forwarded", "is forwarded", StringComparison.Ordinal);
    }

    private static string FollowTcp(DumpServer server, TcpProxyConfig tcp, ImaginedConnection connection, List<ExplanationStep> steps)
    {
        steps.Add(new ExplanationStep("network filter", "tcp_proxy", "The chain forwards bytes as they come.",
            [$"idle timeout {MessageTexts.Duration(tcp.IdleTimeout)}"], []));
        var clusters = new ClusterExplainer(server);
        var chosen = tcp.Choose(connection.StreamInfo, 0);
        var destinations = tcp.Destinations.Contains(chosen) ? tcp.Destinations : [chosen];
        string? problem = null;
        foreach (var destination in destinations)
        {
            var share = destinations.Count > 1 ? $"{destination.Weight} of {tcp.TotalWeight}" : "";
            var balancing = new ImaginedBalancing(connection, null, connection.StreamInfo, tcp.Hash?.Invoke(connection), destination.MetadataMatch, null);
            problem ??= clusters.Explain(destination.Cluster, share, balancing, steps);
        }
        return problem is not null ? $"The connection is closed, as {problem}."
            : $"The connection is forwarded to {string.Join(" or ", destinations.Select(static one => one.Cluster))}.";
    }

    private static List<string> Warnings(ConfigurationDump dump, DumpServer server)
    {
        var warnings = new List<string>();
        foreach (var refused in dump.Refused)
        {
            warnings.Add($"The proxy refused an update of {refused.Kind} {refused.Name} and serves the one before: {refused.Details}");
        }
        foreach (var refusal in server.Refusals)
        {
            warnings.Add($"This build would not serve it: {refusal}");
        }
        if (dump.Unknown.Count > 0)
        {
            warnings.Add($"Not read, as this build does not know them: {string.Join(", ", dump.Unknown.Distinct().Take(10))}.");
        }
        return warnings;
    }
}
