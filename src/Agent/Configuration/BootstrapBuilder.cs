using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration;

/// <summary>The proxy's bootstrap: what every proxy of a mesh has, with this pod's settings.</summary>
internal static class BootstrapBuilder
{
    private const string ListAnnotationPrefix = "sidecar.istio.io/statsInclusion";
    private const int MetricsPort = 15090;
    private const int ReadyPort = 15021;

    public static JsonObject Build(AgentOptions options, AgentEnvironment environment, ProxyConfig config)
    {
        using var template = typeof(BootstrapBuilder).Assembly.GetManifestResourceStream("bootstrap.json")!;
        var bootstrap = JsonNode.Parse(template)!.AsObject();
        bootstrap["node"] = NodeMetadata.Build(options, environment, config);
        if (!environment.Flag("ISTIO_DELTA_XDS", absent: true))
            At(bootstrap, "dynamic_resources", "ads_config")["api_type"] = "GRPC";
        if (options.OutlierLogPath.Length > 0)
            Manager(bootstrap)["outlier_detection"] = new JsonObject { ["event_log_path"] = options.OutlierLogPath };
        AddRuntime(bootstrap, config);
        AddStatistics(bootstrap, environment, config);
        if (environment.Flag("PEER_METADATA_DISCOVERY"))
            AddMetadataDiscovery(bootstrap);
        SetAddresses(bootstrap, environment, config);
        return bootstrap;
    }

    /// <summary>The proxy's command line, as pilot-agent gives it to Envoy.</summary>
    public static string[] Arguments(AgentOptions options, AgentEnvironment environment, ProxyConfig config, string file)
    {
        List<string> arguments =
        [
            "-c", file,
            "--drain-time-s", ((long)config.DrainDuration.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--drain-strategy", "immediate",
            "--local-address-ip-version", IsIPv6(environment) ? "v6" : "v4",
            "--file-flush-interval-msec", ((long)config.FileFlushInterval.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture),
            "--disable-hot-restart", "--allow-unknown-static-fields",
        ];
        if (config.FileFlushMinSizeKb > 0)
            arguments.AddRange(["--file-flush-min-size-kb", config.FileFlushMinSizeKb.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        arguments.AddRange(["-l", options.ProxyLogLevel]);
        if (options.ProxyComponentLogLevel.Length > 0)
            arguments.AddRange(["--component-log-level", options.ProxyComponentLogLevel]);
        if (environment.Flag("ENVOY_SKIP_DEPRECATED_LOGS", absent: true))
            arguments.Add("--skip-deprecated-logs");
        if (Override(environment) is { } text)
            arguments.AddRange(["--config-yaml", text]);
        if (config.Concurrency is > 0 and var concurrency)
            arguments.AddRange(["--concurrency", concurrency.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        return [.. arguments];
    }

    /// <summary>Whether the pod has IPv6 addresses alone.</summary>
    public static bool IsIPv6(AgentEnvironment environment) =>
        IPAddress.TryParse(environment.Text("INSTANCE_IP"), out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    private static string? Override(AgentEnvironment environment) =>
        environment.Find("ISTIO_BOOTSTRAP_OVERRIDE") is { } path && File.Exists(path)
            ? File.ReadAllText(path).Replace("$(HOST_IP)", environment.Text("HOST_IP"), StringComparison.Ordinal)
            : null;

    private static JsonObject At(JsonObject node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            node = node[name]!.AsObject();
        return node;
    }

    private static JsonObject Manager(JsonObject bootstrap)
    {
        if (bootstrap["cluster_manager"] is not JsonObject manager)
            bootstrap["cluster_manager"] = manager = new JsonObject { ["enable_deferred_cluster_creation"] = true };
        return manager;
    }

    private static void AddRuntime(JsonObject bootstrap, ProxyConfig config)
    {
        var layer = bootstrap["layered_runtime"]!["layers"]![0]!["static_layer"]!.AsObject();
        foreach (var (name, value) in config.Object("runtimeValues") ?? [])
            layer[name] = bool.TryParse(value?.ToString(), out var flag) ? flag : value?.ToString();
        if (int.TryParse(layer["overload.global_downstream_max_connections"]?.ToString(), out var most))
            bootstrap["overload_manager"]!["resource_monitors"]![0]!["typed_config"]!["max_active_downstream_connections"] = most;
    }

    private static void AddStatistics(JsonObject bootstrap, AgentEnvironment environment, ProxyConfig config)
    {
        var patterns = bootstrap["stats_config"]!["stats_matcher"]!["inclusion_list"]!["patterns"]!.AsArray();
        var annotations = bootstrap["node"]!["metadata"]!["ANNOTATIONS"] as JsonObject;
        foreach (var (kind, field) in (ReadOnlySpan<(string, string)>)[("Prefixes", "prefix"), ("Suffixes", "suffix"), ("Regexps", "")])
        {
            foreach (var value in Included(annotations, config, kind))
                patterns.Add((JsonNode)(field.Length > 0
                    ? new JsonObject { [field] = value }
                    : new JsonObject { ["safe_regex"] = new JsonObject { ["regex"] = value } }));
        }
        if (environment.Flag("PEER_METADATA_DISCOVERY"))
            patterns.Add((JsonNode)new JsonObject { ["prefix"] = "workload_discovery" });
        // The drain waits for it.
        if (environment.Flag("EXIT_ON_ZERO_ACTIVE_CONNECTIONS"))
            patterns.Add((JsonNode)new JsonObject { ["suffix"] = "downstream_cx_active" });
        var tags = bootstrap["stats_config"]!["stats_tags"]!.AsArray();
        foreach (var tag in (config.Json["extraStatTags"] as JsonArray) ?? [])
            tags.Add((JsonNode)new JsonObject { ["tag_name"] = tag!.ToString(), ["regex"] = $"({tag}=\\.=(.*?);\\.;)" });
    }

    private static IEnumerable<string> Included(JsonObject? annotations, ProxyConfig config, string kind) =>
        annotations?[ListAnnotationPrefix + kind]?.ToString() is { Length: > 0 } list
            ? list.Split(',')
            : config.Object("proxyStatsMatcher")?["inclusion" + kind] is JsonArray values ? values.Select(v => v!.ToString()) : [];

    private static void AddMetadataDiscovery(JsonObject bootstrap) =>
        bootstrap["bootstrap_extensions"]!.AsArray().Insert(0, JsonNode.Parse("""
            {
              "name": "metadata_discovery",
              "typed_config": {
                "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
                "type_url": "type.googleapis.com/istio.workload.BootstrapExtension",
                "value": { "config_source": { "ads": {} } }
              }
            }
            """));

    private static void SetAddresses(JsonObject bootstrap, AgentEnvironment environment, ProxyConfig config)
    {
        var isIPv6 = IsIPv6(environment);
        var (loopback, any) = isIPv6 ? ("::1", "::") : ("127.0.0.1", "0.0.0.0");
        Set(bootstrap["admin"]!["address"]!, loopback, config.AdminPort);
        foreach (var cluster in bootstrap["static_resources"]!["clusters"]!.AsArray())
        {
            var address = cluster!["load_assignment"]?["endpoints"]?[0]?["lb_endpoints"]?[0]?["endpoint"]?["address"];
            var port = cluster["name"]!.ToString() switch { "prometheus_stats" => config.AdminPort, "agent" => config.StatusPort, _ => 0 };
            if (port > 0)
                Set(address!, loopback, port);
        }
        foreach (var listener in bootstrap["static_resources"]!["listeners"]!.AsArray())
        {
            var isMetrics = (int)listener!["address"]!["socket_address"]!["port_value"]! == MetricsPort;
            var port = isMetrics
                ? environment.Number("ENVOY_PROMETHEUS_PORT", MetricsPort)
                : environment.Number("ENVOY_STATUS_PORT", ReadyPort);
            Set(listener["address"]!, any, port);
            listener["name"] = $"{any}_{port}";
        }
    }

    private static void Set(JsonNode address, string host, int port)
    {
        address["socket_address"]!["address"] = host;
        address["socket_address"]!["port_value"] = port;
    }
}
