using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration;

/// <summary>Who the proxy is, as istiod wants to know it.</summary>
internal static class NodeMetadata
{
    /// <summary>The version whose features istiod may assume.</summary>
    public const string IstioVersion = "1.31.0";

    private const string Prefix = "ISTIO_META_";
    private const string JsonPrefix = "ISTIO_METAJSON_";

    public static JsonObject Build(AgentOptions options, AgentEnvironment environment, ProxyConfig config)
    {
        var labels = PodFile.Read("./etc/istio/pod/labels");
        var space = environment.Text("POD_NAMESPACE", "default");
        var domain = DomainOf(options, environment);
        return new JsonObject
        {
            ["id"] = $"{options.Role}~{environment.Text("INSTANCE_IP")}~{environment.Text("POD_NAME")}.{space}~{domain}",
            ["cluster"] = ServiceCluster(environment, config, labels, space),
            ["locality"] = new JsonObject(),
            ["metadata"] = Metadata(options, environment, config, labels, space),
        };
    }

    /// <summary>The DNS domain of the proxy.</summary>
    public static string DomainOf(AgentOptions options, AgentEnvironment environment) => options.Domain.Length > 0
        ? options.Domain
        : $"{environment.Text("POD_NAMESPACE", "default")}.svc.cluster.local";

    private static JsonObject Metadata(
        AgentOptions options, AgentEnvironment environment, ProxyConfig config, JsonObject labels, string space)
    {
        var metadata = new JsonObject
        {
            ["ENVOY_PROMETHEUS_PORT"] = environment.Number("ENVOY_PROMETHEUS_PORT", 15090),
            ["ENVOY_STATUS_PORT"] = environment.Number("ENVOY_STATUS_PORT", 15021),
            ["ENVOY_SKIP_DEPRECATED_LOGS"] = environment.Text("ENVOY_SKIP_DEPRECATED_LOGS", "true"),
            ["METADATA_DISCOVERY"] = environment.Text("PEER_METADATA_DISCOVERY", "false"),
            ["WORKLOAD_IDENTITY_SOCKET_FILE"] = "socket",
            ["ISTIO_VERSION"] = IstioVersion,
            ["INSTANCE_IPS"] = environment.Text("INSTANCE_IP"),
            ["NAME"] = environment.Text("POD_NAME"),
            ["NAMESPACE"] = space,
            ["SERVICE_ACCOUNT"] = environment.Text("SERVICE_ACCOUNT"),
            ["LABELS"] = labels,
            ["PILOT_SAN"] = new JsonArray(HostOf(config.DiscoveryAddress)),
            ["PROXY_CONFIG"] = config.Json.DeepClone(),
        };
        if (PodFile.Read("./etc/istio/pod/annotations") is { Count: > 0 } annotations)
            metadata["ANNOTATIONS"] = annotations;
        if (environment.Number("ENVOY_SECURE_METRICS_PORT", 0) is > 0 and var secure)
            metadata["ENVOY_SECURE_METRICS_PORT"] = secure;
        if (environment.Flag("EXIT_ON_ZERO_ACTIVE_CONNECTIONS"))
            metadata["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] = "true";
        if (options.OutlierLogPath.Length > 0)
            metadata["OUTLIER_LOG_PATH"] = options.OutlierLogPath;
        foreach (var (name, value) in environment.StartingWith(Prefix))
            metadata[name] = value;
        foreach (var (name, value) in environment.StartingWith(JsonPrefix))
            metadata[name] = JsonNode.Parse(value);
        return metadata;
    }

    /// <summary>The host of an address with a port.</summary>
    public static string HostOf(string address)
    {
        var host = address.LastIndexOf(':') is var colon and >= 0 ? address[..colon] : address;
        // Through a port forward, istiod still shows the certificate of its service.
        return host.Contains("localhost", StringComparison.Ordinal) ? "istiod.istio-system.svc" : host;
    }

    private static string ServiceCluster(AgentEnvironment environment, ProxyConfig config, JsonObject labels, string space)
    {
        if (config.Text("serviceCluster") is { Length: > 0 } given && given != "istio-proxy")
            return given;
        var app = labels["app"]?.ToString() ?? environment.Text(Prefix + "WORKLOAD_NAME");
        return app.Length > 0 ? $"{app}.{space}" : $"istio-proxy.{space}";
    }
}
