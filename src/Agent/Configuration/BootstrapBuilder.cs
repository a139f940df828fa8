using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using MeshProxy.Agent.Configuration.Bootstraps;

namespace MeshProxy.Agent.Configuration;

/// <summary>The proxy's bootstrap: what every proxy of a mesh has, with this pod's settings.</summary>
internal static class BootstrapBuilder
{
    private const int MetricsPort = 15090;
    private const int ReadyPort = 15021;

    // As pilot-agent's: what collects logs of Istio's proxies reads these columns.
    private const string LogFormat = "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t";

    // What waits between two listeners of the process, in each direction; Istio's figure.
    private const int InternalBufferKb = 64;

    public static JsonObject Build(AgentOptions options, AgentEnvironment environment, ProxyConfig config)
    {
        var node = NodeMetadata.Build(options, environment, config);
        var bootstrap = new JsonObject
        {
            ["node"] = node,
            ["admin"] = new JsonObject { ["address"] = Parts.Address(Loopback(environment), config.AdminPort) },
            ["application_log_config"] = new JsonObject
            {
                ["log_format"] = new JsonObject { ["text_format"] = LogFormat },
            },
            ["layered_runtime"] = Runtime(config),
            ["bootstrap_extensions"] = Extensions(environment),
            ["stats_config"] = Statistics.Config(environment, config, node["metadata"]!["ANNOTATIONS"] as JsonObject),
            ["deferred_stat_options"] = new JsonObject { ["enable_deferred_creation_stats"] = true },
            ["dynamic_resources"] = DynamicResources(environment),
            ["static_resources"] = new JsonObject
            {
                ["clusters"] = Clusters(environment, config),
                ["listeners"] = Listeners(environment),
            },
            ["overload_manager"] = OverloadManager(config),
        };
        if (ClusterManager(options, environment) is { Count: > 0 } manager)
            bootstrap["cluster_manager"] = manager;
        if (Statistics.Sinks(config) is { Count: > 0 } sinks)
            bootstrap["stats_sinks"] = sinks;
        if (Services.Tracing(config, node["cluster"]!.ToString()) is { } tracing)
            bootstrap["tracing"] = tracing;
        return bootstrap;
    }

    /// <summary>The listener that is asked whether the pod is ready.</summary>
    public static string ReadinessListener(AgentEnvironment environment) =>
        StaticListeners.NameOf(Any(environment), environment.Number("ENVOY_STATUS_PORT", ReadyPort));

    /// <summary>The proxy's command line, as pilot-agent gives it to Envoy.</summary>
    public static string[] Arguments(AgentOptions options, AgentEnvironment environment, ProxyConfig config, string file)
    {
        List<string> arguments =
        [
            "-c", file,
            "--drain-time-s", ((long)config.DrainDuration.TotalSeconds).ToString(CultureInfo.InvariantCulture),
            "--drain-strategy", "immediate",
            "--local-address-ip-version", IsIPv6(environment) ? "v6" : "v4",
            "--file-flush-interval-msec", ((long)config.FileFlushInterval.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
            "--disable-hot-restart", "--allow-unknown-static-fields",
        ];
        if (config.FileFlushMinSizeKb > 0)
            arguments.AddRange(["--file-flush-min-size-kb", config.FileFlushMinSizeKb.ToString(CultureInfo.InvariantCulture)]);
        arguments.AddRange(["-l", options.ProxyLogLevel]);
        if (options.ProxyComponentLogLevel.Length > 0)
            arguments.AddRange(["--component-log-level", options.ProxyComponentLogLevel]);
        if (environment.Flag("ENVOY_SKIP_DEPRECATED_LOGS", absent: true))
            arguments.Add("--skip-deprecated-logs");
        if (Override(environment) is { } text)
            arguments.AddRange(["--config-yaml", text]);
        if (config.Concurrency is > 0 and var concurrency)
            arguments.AddRange(["--concurrency", concurrency.ToString(CultureInfo.InvariantCulture)]);
        return [.. arguments];
    }

    /// <summary>Whether the pod has IPv6 addresses alone.</summary>
    public static bool IsIPv6(AgentEnvironment environment) =>
        IPAddress.TryParse(environment.Text("INSTANCE_IP"), out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    private static string? Override(AgentEnvironment environment) =>
        environment.Find("ISTIO_BOOTSTRAP_OVERRIDE") is { } path && File.Exists(path)
            ? File.ReadAllText(path).Replace("$(HOST_IP)", environment.Text("HOST_IP"), StringComparison.Ordinal)
            : null;

    private static string Loopback(AgentEnvironment environment) => IsIPv6(environment) ? "::1" : "127.0.0.1";

    private static string Any(AgentEnvironment environment) => IsIPv6(environment) ? "::" : "0.0.0.0";

    private static JsonObject Runtime(ProxyConfig config)
    {
        // Paths with a fragment are passed on, as Istio always did; Envoy of itself refuses them.
        var layer = new JsonObject { ["envoy.reloadable_features.http_reject_path_with_fragment"] = false };
        foreach (var (name, value) in config.Object("runtimeValues") ?? [])
            layer[name] = bool.TryParse(value?.ToString(), out var flag) ? flag : value?.ToString();
        return new JsonObject
        {
            ["layers"] = new JsonArray(
                new JsonObject { ["name"] = "global config", ["static_layer"] = layer },
                new JsonObject { ["name"] = "admin", ["admin_layer"] = new JsonObject() }),
        };
    }

    private static JsonObject OverloadManager(ProxyConfig config)
    {
        var given = config.Object("runtimeValues")?["overload.global_downstream_max_connections"]?.ToString();
        var most = int.TryParse(given, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
        return new JsonObject
        {
            ["resource_monitors"] = new JsonArray(Parts.Extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                new JsonObject { ["max_active_downstream_connections"] = most })),
        };
    }

    private static JsonArray Extensions(AgentEnvironment environment)
    {
        var extensions = new JsonArray();
        if (environment.Flag("PEER_METADATA_DISCOVERY"))
        {
            // Istio's own message, in a form that needs no knowledge of it.
            extensions.Add((JsonNode)Parts.Extension("metadata_discovery", "udpa.type.v1.TypedStruct", new JsonObject
            {
                ["type_url"] = "type.googleapis.com/istio.workload.BootstrapExtension",
                ["value"] = new JsonObject { ["config_source"] = new JsonObject { ["ads"] = new JsonObject() } },
            }));
        }
        extensions.Add((JsonNode)Parts.Extension(
            "envoy.bootstrap.internal_listener",
            "envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
            new JsonObject { ["buffer_size_kb"] = InternalBufferKb }));
        return extensions;
    }

    // No limit to the first fetch: a proxy without configuration must not become ready.
    private static JsonObject DynamicResources(AgentEnvironment environment)
    {
        static JsonObject Source()
        {
            var source = Parts.OverAds();
            source["initial_fetch_timeout"] = "0s";
            return source;
        }

        return new JsonObject
        {
            ["lds_config"] = Source(),
            ["cds_config"] = Source(),
            ["ads_config"] = new JsonObject
            {
                ["api_type"] = environment.Flag("ISTIO_DELTA_XDS", absent: true) ? "DELTA_GRPC" : "GRPC",
                ["transport_api_version"] = "V3",
                ["set_node_on_first_message_only"] = true,
                ["grpc_services"] = new JsonArray(Parts.Grpc(StaticClusters.Discovery)),
            },
        };
    }

    private static JsonObject ClusterManager(AgentOptions options, AgentEnvironment environment)
    {
        var manager = new JsonObject();
        if (options.OutlierLogPath.Length > 0)
            manager["outlier_detection"] = new JsonObject { ["event_log_path"] = options.OutlierLogPath };
        if (DiscoversItself(environment))
            manager["local_cluster_name"] = StaticClusters.Local;
        if (manager.Count > 0)
            manager["enable_deferred_cluster_creation"] = true;
        return manager;
    }

    private static JsonArray Clusters(AgentEnvironment environment, ProxyConfig config)
    {
        var loopback = Loopback(environment);
        var clusters = new JsonArray(
            StaticClusters.OfPort(StaticClusters.Statistics, loopback, config.AdminPort),
            StaticClusters.OfPort(StaticClusters.Agent, loopback, config.StatusPort),
            StaticClusters.OfSocket(StaticClusters.Secrets, AgentService.SecretSocket),
            StaticClusters.OfSocket(StaticClusters.Discovery, AgentService.DiscoverySocket(config)));
        foreach (var cluster in Services.Clusters(config, IsIPv6(environment)))
            clusters.Add((JsonNode)cluster);
        if (DiscoversItself(environment))
            clusters.Add((JsonNode)StaticClusters.OfOurselves());
        return clusters;
    }

    private static JsonArray Listeners(AgentEnvironment environment)
    {
        var any = Any(environment);
        var listeners = new JsonArray(
            StaticListeners.OfMetrics(any, environment.Number("ENVOY_PROMETHEUS_PORT", MetricsPort)));
        if (environment.Number("ENVOY_SECURE_METRICS_PORT", 0) is > 0 and var secure)
            listeners.Add((JsonNode)StaticListeners.OfSecureMetrics(any, secure));
        listeners.Add((JsonNode)StaticListeners.OfReadiness(any, environment.Number("ENVOY_STATUS_PORT", ReadyPort)));
        return listeners;
    }

    private static bool DiscoversItself(AgentEnvironment environment) =>
        environment.Flag("ISTIO_META_ENABLE_SELF_DISCOVERY");
}
