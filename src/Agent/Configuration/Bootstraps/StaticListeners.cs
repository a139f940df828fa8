using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.ControlPlane.Security;

namespace MeshProxy.Agent.Configuration.Bootstraps;

/// <summary>The ports that every proxy of a mesh serves itself: metrics and readiness.</summary>
internal static class StaticListeners
{
    private const string Compressors = "envoy.extensions.compression.";

    // What scrapers ask for is worth compressing, in the order in which we prefer them.
    private static readonly (string Name, string Library)[] Encodings =
    [
        ("brotli", Compressors + "brotli.compressor.v3.Brotli"),
        ("zstd", Compressors + "zstd.compressor.v3.Zstd"),
        ("gzip", Compressors + "gzip.compressor.v3.Gzip"),
    ];

    /// <summary>The name of a listener, as istiod and tools know it.</summary>
    public static string NameOf(string host, int port) => string.Create(CultureInfo.InvariantCulture, $"{host}_{port}");

    /// <summary>The proxy's statistics, for scrapers.</summary>
    public static JsonObject OfMetrics(string any, int port) => Listener(
        any, port, Chain("stats", "/stats/prometheus", StaticClusters.Statistics, isCompressed: true));

    /// <summary>The same, for scrapers with a certificate of the mesh.</summary>
    public static JsonObject OfSecureMetrics(string any, int port)
    {
        var chain = Chain("secure_stats", "/stats/prometheus", StaticClusters.Statistics, isCompressed: false);
        chain["filter_chain_match"] = new JsonObject { ["transport_protocol"] = "tls" };
        chain["transport_socket"] = MutualTls();
        var listener = Listener(any, port, chain);
        listener["listener_filters"] = new JsonArray(Parts.Extension(
            "envoy.filters.listener.tls_inspector", "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"));
        return listener;
    }

    /// <summary>Whether the pod is ready, for the kubelet: the agent knows.</summary>
    public static JsonObject OfReadiness(string any, int port) => Listener(
        any, port, Chain("agent", "/healthz/ready", StaticClusters.Agent, isCompressed: false));

    // Who is overloaded still says how it is.
    private static JsonObject Listener(string any, int port, JsonObject chain) => new()
    {
        ["name"] = NameOf(any, port),
        ["address"] = Parts.Address(any, port),
        ["ignore_global_conn_limit"] = true,
        ["bypass_overload_manager"] = true,
        ["filter_chains"] = new JsonArray(chain),
    };

    private static JsonObject Chain(string statistics, string path, string cluster, bool isCompressed)
    {
        var filters = new JsonArray();
        foreach (var (name, library) in isCompressed ? Encodings : [])
            filters.Add((JsonNode)Compressor(name, library));
        filters.Add((JsonNode)Parts.Extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router"));
        var host = new JsonObject
        {
            ["name"] = "backend",
            ["domains"] = new JsonArray("*"),
            ["routes"] = new JsonArray(new JsonObject
            {
                ["match"] = new JsonObject { ["prefix"] = path },
                ["route"] = new JsonObject { ["cluster"] = cluster },
            }),
        };
        var manager = Parts.Extension(
            "envoy.filters.network.http_connection_manager",
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            new JsonObject
            {
                ["stat_prefix"] = statistics,
                ["route_config"] = new JsonObject { ["virtual_hosts"] = new JsonArray(host) },
                ["http_filters"] = filters,
            });
        return new JsonObject { ["filters"] = new JsonArray(manager) };
    }

    private static JsonObject Compressor(string name, string library) => Parts.Extension(
        "envoy.filters.http.compressor." + name,
        "envoy.extensions.filters.http.compressor.v3.Compressor",
        new JsonObject
        {
            ["compressor_library"] = Parts.Extension("stats_" + name, library),
            ["response_direction_config"] = new JsonObject
            {
                ["common_config"] = new JsonObject
                {
                    // The forms in which metrics are written.
                    ["content_type"] = new JsonArray(
                        "text/plain", "application/openmetrics-text", "application/openmetrics-protobuf",
                        "application/vnd.google.protobuf"),
                },
            },
        });

    private static JsonObject MutualTls() => Parts.Extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        new JsonObject
        {
            ["require_client_certificate"] = true,
            ["common_tls_context"] = new JsonObject
            {
                ["tls_certificate_sds_secret_configs"] = new JsonArray(Secret(WorkloadSecrets.CertificateName)),
                ["validation_context_sds_secret_config"] = Secret(WorkloadSecrets.RootName),
            },
        });

    private static JsonObject Secret(string name) => new()
    {
        ["name"] = name,
        ["sds_config"] = new JsonObject
        {
            ["resource_api_version"] = "V3",
            ["api_config_source"] = new JsonObject
            {
                ["api_type"] = "GRPC",
                ["transport_api_version"] = "V3",
                ["set_node_on_first_message_only"] = true,
                ["grpc_services"] = new JsonArray(Parts.Grpc(StaticClusters.Secrets)),
            },
        },
    };
}
