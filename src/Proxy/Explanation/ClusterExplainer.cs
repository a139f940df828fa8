using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What a cluster is, and which of its endpoints its own balancer gives.</summary>
internal sealed class ClusterExplainer(DumpServer server)
{
    // Enough that every endpoint of a usual cluster comes up; those with a tiny weight may not.
    private const int Draws = 1000;

    private static readonly string[] ResolvedByName = ["STRICT_DNS", "LOGICAL_DNS", "envoy.cluster.dns", "envoy.clusters.dns"];

    /// <param name="name">Of the cluster a route or tcp_proxy names.</param>
    /// <param name="share">`90 of 100` for one of several; empty otherwise.</param>
    /// <returns>Null when traffic can go on; else the outcome in a sentence.</returns>
    public string? Explain(string name, string share, ILoadBalancerContext balancing, List<ExplanationStep> steps)
    {
        if (server.Clusters.Get(name) is not { } cluster)
        {
            var why = Missing(name);
            steps.Add(new ExplanationStep("cluster", "", why, [], Similar(name)));
            return $"no cluster {name} exists (NC)";
        }
        // As it came: what is compiled has its endpoints from the dump.
        var definition = server.Dump.Clusters.First(entry => entry.Resource.Name == name && entry.State != DumpState.Warming).Resource;
        steps.Add(new ExplanationStep("cluster", name,
            share.Length > 0 ? $"The route gives it {share}." : "The route names it.", Describe(definition), []));
        return ExplainEndpoints((ClusterEntry)cluster, definition, balancing, steps);
    }

    private string? ExplainEndpoints(ClusterEntry cluster, Cluster definition, ILoadBalancerContext balancing, List<ExplanationStep> steps)
    {
        var kind = Kind(definition);
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Draws; i++)
        {
            if (cluster.ChooseHost(balancing).Host is { } host)
            {
                chosen.Add(host.AddressText);
            }
        }
        var hosts = cluster.Hosts.Sets.SelectMany(static set => set.Hosts).ToList();
        if (hosts.Count == 0)
        {
            steps.Add(new ExplanationStep("endpoints", chosen.Count > 0 ? string.Join(", ", chosen) : "", kind switch
            {
                "ORIGINAL_DST" => "The cluster has no list: it goes where the client wanted to go.",
                "envoy.clusters.dynamic_forward_proxy" => "The cluster has no list: it resolves the request's host by DNS when it is called.",
                _ when !server.Dump.HasEndpoints => "The dump has no endpoints; take it with /config_dump?include_eds.",
                _ when ResolvedByName.Contains(kind) => $"{Names(definition)} resolved to nothing when the dump was taken.",
                _ => "The cluster has no endpoints: requests fail with UH (no healthy upstream).",
            }, [], []));
            return chosen.Count > 0 || kind is "ORIGINAL_DST" or "envoy.clusters.dynamic_forward_proxy" || !server.Dump.HasEndpoints
                ? null : $"cluster {cluster.Name} has no endpoints (UH)";
        }
        steps.Add(new ExplanationStep("endpoints", string.Join(", ", hosts.Where(host => chosen.Contains(host.AddressText)).Select(static host => host.AddressText)),
            chosen.Count == 0 ? "Its balancer gives none: no endpoint is usable for this request (UH)." : Why(hosts, chosen),
            [.. hosts.Where(host => chosen.Contains(host.AddressText)).Select(host => Describe(host, definition))],
            [.. hosts.Where(host => !chosen.Contains(host.AddressText)).Select(host => new RejectedChoice(host.AddressText, WhyNot(host, hosts)))]));
        return chosen.Count > 0 ? null : $"no endpoint of cluster {cluster.Name} is usable (UH)";
    }

    private static string Why(List<HostImpl> hosts, HashSet<string> chosen) => hosts.Count == 1 ? "The cluster's one endpoint is usable."
        : chosen.Count == hosts.Count ? $"All of the cluster's {hosts.Count} are usable."
        : $"The cluster's balancer gives {chosen.Count} of {hosts.Count} for this request.";

    private static string WhyNot(HostImpl host, List<HostImpl> hosts)
    {
        if (host.Health == HostHealth.Unhealthy)
        {
            return "it is unhealthy";
        }
        if (host.Health == HostHealth.Degraded)
        {
            return "it is degraded, and healthy ones go first";
        }
        var first = hosts.Where(static other => other.Health == HostHealth.Healthy).Min(static other => other.Priority);
        return host.Priority > first
            ? $"its priority is {host.Priority}, and priority {first} has enough healthy endpoints"
            : "the balancer does not give it for this request (subset, hash, or locality weights)";
    }

    private static string Describe(HostImpl host, Cluster definition)
    {
        var facts = new List<string> { host.AddressText };
        if (host.Hostname.Length > 0)
        {
            facts.Add(host.Hostname);
        }
        facts.Add(host.Health.ToString().ToLowerInvariant());
        facts.Add($"weight {host.Weight}");
        if (host.Priority > 0)
        {
            facts.Add($"priority {host.Priority}");
        }
        if (host.Locality != Upstream.Locality.None)
        {
            facts.Add($"{host.Locality.Region}/{host.Locality.Zone}/{host.Locality.SubZone}".TrimEnd('/'));
        }
        facts.Add(Transport(host, definition));
        return string.Join(", ", facts);
    }

    // Which of transport_socket_matches the host's metadata chose.
    private static string Transport(HostImpl host, Cluster definition)
    {
        var socket = ((NamedTransport)host.TransportSocketFactory).Definition;
        var text = TransportTexts.OfUpstream(socket);
        foreach (var match in definition.TransportSocketMatches)
        {
            if (socket is { } chosen && match.TransportSocket is { } own && own.Message.Equals(chosen.Message))
            {
                return $"{text} ({match.Name})";
            }
        }
        return text;
    }

    private static List<string> Describe(Cluster definition)
    {
        var facts = new List<string>
        {
            $"type {Kind(definition)}, {Balancing(definition)}, connect timeout {MessageTexts.Duration(definition.ConnectTimeout ?? TimeSpan.FromSeconds(5))}",
        };
        if (definition.TransportSocket is { } socket)
        {
            facts.Add($"to endpoints: {TransportTexts.OfUpstream(socket)}");
        }
        if (definition.TransportSocketMatches.Count > 0)
        {
            facts.Add("to endpoints, by their metadata: " + string.Join("; ", definition.TransportSocketMatches.Select(
                static match => $"{match.Name}: {TransportTexts.OfUpstream(match.TransportSocket)}")));
        }
        if (definition.CircuitBreakers is { } breakers)
        {
            foreach (var limit in breakers.ThresholdsValue.Where(static limit => limit.Priority == Envoy.Config.Core.V3.RoutingPriority.Default))
            {
                AddLimits(facts, limit);
            }
        }
        if (definition.OutlierDetection is { } outliers)
        {
            facts.Add("outlier detection: " + MessageTexts.Short(outliers.Message));
        }
        return facts;
    }

    // istiod writes the largest number where nobody set a limit.
    private static void AddLimits(List<string> facts, CircuitBreakers.Thresholds limit)
    {
        var limits = new List<string>();
        Add("connections", limit.MaxConnections);
        Add("pending requests", limit.MaxPendingRequests);
        Add("requests", limit.MaxRequests);
        Add("retries", limit.MaxRetries);
        if (limits.Count > 0)
        {
            facts.Add($"limits: {string.Join(", ", limits)}");
        }

        void Add(string what, uint? value)
        {
            if (value is { } set and < uint.MaxValue)
            {
                limits.Add($"{set} {what}");
            }
        }
    }

    private static string Balancing(Cluster definition) => definition.LoadBalancingPolicy?.Policies is [var policy, ..]
        ? policy.TypedExtensionConfig?.Name ?? "load_balancing_policy" : EnumTexts.Of(definition.Message, "lb_policy");

    private static string Kind(Cluster definition) =>
        definition.ClusterDiscoveryTypeCase == Cluster.ClusterDiscoveryTypeOneofCase.ClusterType
            ? definition.ClusterType!.Value.Name : EnumTexts.Of(definition.Message, "type");

    private static string Names(Cluster definition) => string.Join(", ",
        definition.LoadAssignment?.Endpoints.SelectMany(static group => group.LbEndpoints)
            .Select(static member => member.Endpoint?.Address?.SocketAddress?.Address ?? "") ?? []);

    private string Missing(string name)
    {
        if (server.Dump.Refused.FirstOrDefault(refused => refused.Kind == "cluster" && refused.Name == name) is { } refused)
        {
            return $"Cluster {name} was refused: {refused.Details}";
        }
        if (server.Dump.Clusters.Any(entry => entry.Resource.Name == name && entry.State == DumpState.Warming))
        {
            return $"Cluster {name} still warms: it waits for its endpoints or secrets.";
        }
        return name.Length == 0 ? "The cluster is named by a request header that is missing."
            : $"There is no cluster {name}: the control plane has not sent it to this proxy.";
    }

    // A subset or port that does not exist is the usual reason: others of the same host are shown.
    private List<RejectedChoice> Similar(string name) => name.Split('|') is [var direction, _, _, var host]
        ? [.. server.Dump.Clusters.Select(static entry => entry.Resource.Name)
            .Where(other => other.StartsWith(direction + "|", StringComparison.Ordinal) && other.EndsWith("|" + host, StringComparison.Ordinal))
            .Select(static other => new RejectedChoice(other, "it is another port or subset of the same host"))]
        : [];
}
