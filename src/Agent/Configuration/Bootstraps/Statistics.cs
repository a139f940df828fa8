using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration.Bootstraps;

/// <summary>Which statistics are kept, how they are tagged and where they are sent. Istio's dashboards need these names.</summary>
internal static class Statistics
{
    private const string ListAnnotationPrefix = "sidecar.istio.io/statsInclusion";

    // Characters of the addresses in names of listeners: IPv4 with dots, IPv6 in brackets with underscores.
    private const string AddressClass = @"[0-9a-fA-F_.\[\]]*";

    // Tag, and what finds it: the first group leaves the name, the inner one is the value.
    private static readonly (string Name, string Expression)[] Tags =
    [
        ("cluster_name", @"^cluster(\.(.+);)"),
        ("http_conn_manager_prefix", @"^http\.(([\w.:\[\]]*);\.)"),
        ("thread_name", @"^server(\.(.+))\.watchdog"),
        ("tcp_prefix", @"^tcp\.((.+)\.)\w+$"),
        ("response_code", @"_rq(_([0-9]{3}))$"),
        ("response_code_class", @"_rq(_([0-9]xx))$"),
        ("http_conn_manager_listener_prefix", @"^listener\..*?\.http\.((" + AddressClass + @")\.)"),
        ("listener_address", @"^listener\.((" + AddressClass + @")\.)"),
        ("mongo_prefix", @"^mongo\.(.+?)\.(collection|cmd|cx_|op_|delays_|decoding_)"),
        ("cache", @"(cache\.(.+?)\.)"),
        ("component", @"(component\.(.+?)\.)"),
        ("tag", @"(tag\.(.+?);\.)"),
        ("wasm_filter", @"(wasm_filter\.(.+?)\.)"),
        ("authz_enforce_result", @"rbac(\.(allowed|denied))"),
        ("authz_dry_run_action", @"(\.istio_dry_run_(allow|deny)_)"),
        ("authz_dry_run_result", @"(\.shadow_(allowed|denied))"),
    ];

    private static readonly string[] KeptPrefixes =
    [
        "reporter=", "cluster_manager", "listener_manager", "server", "cluster." + StaticClusters.Discovery, "wasm",
        "component", "istio",
    ];

    private static readonly string[] KeptSuffixes = ["rbac.allowed", "rbac.denied", "shadow_allowed", "shadow_denied"];

    // Routes that were told to be counted (stat_prefix).
    private const string KeptRoutes = @"vhost\..*\.route\..*";

    /// <summary>`stats_config`.</summary>
    public static JsonObject Config(AgentEnvironment environment, ProxyConfig config, JsonObject? annotations) => new()
    {
        ["use_all_default_tags"] = false,
        ["stats_tags"] = TagList(config),
        ["stats_matcher"] = new JsonObject
        {
            ["inclusion_list"] = new JsonObject { ["patterns"] = Patterns(environment, config, annotations) },
        },
    };

    /// <summary>`stats_sinks`: where the mesh's operator wants statistics sent. Empty for nowhere.</summary>
    /// <exception cref="AgentException">An address is malformed.</exception>
    public static JsonArray Sinks(ProxyConfig config)
    {
        var sinks = new JsonArray();
        if (Services.MetricsPlace(config) is not null)
        {
            sinks.Add((JsonNode)Parts.Extension(
                "envoy.stat_sinks.metrics_service", "envoy.config.metrics.v3.MetricsServiceConfig",
                new JsonObject
                {
                    ["transport_api_version"] = "V3",
                    ["grpc_service"] = Parts.Grpc(Services.Metrics),
                }));
        }
        if (config.Text("statsdUdpAddress") is { Length: > 0 } statsd)
        {
            sinks.Add((JsonNode)Parts.Extension(
                "envoy.stat_sinks.statsd", "envoy.config.metrics.v3.StatsdSink",
                new JsonObject { ["address"] = Parts.Address(statsd, "statsdUdpAddress") }));
        }
        return sinks;
    }

    private static JsonArray TagList(ProxyConfig config)
    {
        var tags = new JsonArray();
        foreach (var (name, expression) in Tags)
            tags.Add((JsonNode)new JsonObject { ["tag_name"] = name, ["regex"] = expression });
        // Dimensions that the operator adds stand in the names of Istio's statistics as NAME=.=VALUE;.;
        foreach (var tag in config.Json["extraStatTags"] as JsonArray ?? [])
            tags.Add((JsonNode)new JsonObject { ["tag_name"] = tag!.ToString(), ["regex"] = $@"({tag}=\.=(.*?);\.;)" });
        return tags;
    }

    private static JsonArray Patterns(AgentEnvironment environment, ProxyConfig config, JsonObject? annotations)
    {
        var patterns = new JsonArray();
        Add("prefix", KeptPrefixes);
        Add("suffix", KeptSuffixes);
        Add("", [KeptRoutes]);
        Add("prefix", Included(annotations, config, "Prefixes"));
        Add("suffix", Included(annotations, config, "Suffixes"));
        Add("", Included(annotations, config, "Regexps"));
        if (environment.Flag("PEER_METADATA_DISCOVERY"))
            Add("prefix", ["workload_discovery"]);
        // The drain waits for it.
        if (environment.Flag("EXIT_ON_ZERO_ACTIVE_CONNECTIONS"))
            Add("suffix", ["downstream_cx_active"]);
        return patterns;

        void Add(string field, IEnumerable<string> values)
        {
            foreach (var value in values)
            {
                patterns.Add((JsonNode)(field.Length > 0
                    ? new JsonObject { [field] = value }
                    : new JsonObject { ["safe_regex"] = new JsonObject { ["regex"] = value } }));
            }
        }
    }

    // The pod's annotation goes before the proxy's configuration.
    private static IEnumerable<string> Included(JsonObject? annotations, ProxyConfig config, string kind) =>
        annotations?[ListAnnotationPrefix + kind]?.ToString() is { Length: > 0 } list
            ? list.Split(',')
            : config.Object("proxyStatsMatcher")?["inclusion" + kind] is JsonArray values ? values.Select(v => v!.ToString()) : [];
}
