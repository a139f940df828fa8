using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration.Bootstraps;

/// <summary>The clusters that are there before any control plane. What istiod sends refers to them by these names.</summary>
internal static class StaticClusters
{
    public const string Statistics = "prometheus_stats";
    public const string Agent = "agent";
    public const string Secrets = "sds-grpc";
    public const string Discovery = "xds-grpc";
    public const string Local = "local_cluster";

    // Everything here is in the pod: whatever does not answer at once will not.
    private const string PodConnectTimeout = "0.25s";
    private const string ConnectTimeout = "1s";

    /// <summary>A port of the pod itself.</summary>
    public static JsonObject OfPort(string name, string loopback, int port) =>
        Cluster(name, "STATIC", PodConnectTimeout, Parts.Address(loopback, port));

    /// <summary>gRPC over a Unix socket of the agent.</summary>
    public static JsonObject OfSocket(string name, string path) =>
        WithHttp2(Cluster(name, "STATIC", ConnectTimeout, new JsonObject { ["pipe"] = new JsonObject { ["path"] = path } }));

    /// <summary>A service of the mesh's operator, found by DNS.</summary>
    /// <exception cref="AgentException">The address is malformed.</exception>
    public static JsonObject OfService(string name, string place, string setting, bool isIPv6)
    {
        var cluster = Cluster(name, "STRICT_DNS", ConnectTimeout, Parts.Address(place, setting));
        cluster["respect_dns_ttl"] = true;
        cluster["dns_lookup_family"] = isIPv6 ? "V6_ONLY" : "V4_ONLY";
        return cluster;
    }

    /// <summary>The pods of our own service: how far away others are is measured from here.</summary>
    public static JsonObject OfOurselves() => new()
    {
        ["name"] = Local,
        ["alt_stat_name"] = Local + ";",
        ["type"] = "EDS",
        ["connect_timeout"] = ConnectTimeout,
        ["eds_cluster_config"] = new JsonObject { ["eds_config"] = Parts.OverAds(), ["service_name"] = Local },
        ["load_balancing_policy"] = new JsonObject
        {
            ["policies"] = new JsonArray(new JsonObject
            {
                ["typed_extension_config"] = Parts.Extension(
                    "envoy.load_balancing_policies.least_request",
                    "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
                    new JsonObject
                    {
                        ["locality_lb_config"] = new JsonObject
                        {
                            ["zone_aware_lb_config"] = new JsonObject { ["min_cluster_size"] = 1 },
                        },
                    }),
            }),
        },
    };

    /// <summary>The same, spoken to in HTTP/2.</summary>
    public static JsonObject WithHttp2(JsonObject cluster)
    {
        const string options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        cluster["typed_extension_protocol_options"] = new JsonObject
        {
            [options] = Parts.Typed(options, new JsonObject
            {
                ["explicit_http_config"] = new JsonObject { ["http2_protocol_options"] = new JsonObject() },
            }),
        };
        return cluster;
    }

    // The semicolon ends the name in the names of statistics: names of services have dots.
    private static JsonObject Cluster(string name, string type, string timeout, JsonObject address) => new()
    {
        ["name"] = name,
        ["alt_stat_name"] = name + ";",
        ["type"] = type,
        ["connect_timeout"] = timeout,
        ["load_assignment"] = new JsonObject
        {
            ["cluster_name"] = name,
            ["endpoints"] = new JsonArray(new JsonObject
            {
                ["lb_endpoints"] = new JsonArray(new JsonObject
                {
                    ["endpoint"] = new JsonObject { ["address"] = address },
                }),
            }),
        },
    };
}
