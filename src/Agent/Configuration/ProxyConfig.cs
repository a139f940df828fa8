using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Configuration;

/// <summary>The pod's ProxyConfig (PROXY_CONFIG), over Istio's defaults.</summary>
internal sealed class ProxyConfig
{
    // Defaults of mesh.DefaultProxyConfig, as recorded in bootstraps.
    private const string Defaults = """
        {
          "binaryPath": "/usr/local/bin/envoy", "configPath": "./etc/istio/proxy", "controlPlaneAuthPolicy": "MUTUAL_TLS",
          "discoveryAddress": "istiod.istio-system.svc:15012", "drainDuration": "45s", "proxyAdminPort": 15000,
          "serviceCluster": "istio-proxy", "statNameLength": 189, "statusPort": 15020, "terminationDrainDuration": "5s"
        }
        """;

    private static readonly string[] Durations = ["drainDuration", "fileFlushInterval", "terminationDrainDuration"];

    private ProxyConfig(JsonObject json) => Json = json;

    /// <summary>All of it, as istiod is told.</summary>
    public JsonObject Json { get; }

    public string DiscoveryAddress => Text("discoveryAddress");

    public bool IsControlPlanePlain => Text("controlPlaneAuthPolicy") == "NONE";

    public int StatusPort => Number("statusPort") ?? 15020;

    public int AdminPort => Number("proxyAdminPort") ?? 15000;

    public int? Concurrency => Number("concurrency");

    public string ConfigPath => Text("configPath");

    public TimeSpan DrainDuration => Duration("drainDuration") ?? TimeSpan.FromSeconds(45);

    public TimeSpan TerminationDrainDuration => Duration("terminationDrainDuration") ?? TimeSpan.FromSeconds(5);

    public TimeSpan FileFlushInterval => Duration("fileFlushInterval") ?? TimeSpan.FromSeconds(1);

    public int FileFlushMinSizeKb => Number("fileFlushMinSizeKb") ?? 0;

    public JsonObject? Object(string name) => Json[name] as JsonObject;

    /// <exception cref="AgentException">PROXY_CONFIG is malformed.</exception>
    public static ProxyConfig Read(AgentEnvironment environment)
    {
        var json = JsonNode.Parse(Defaults)!.AsObject();
        try
        {
            foreach (var (name, value) in JsonNode.Parse(environment.Text("PROXY_CONFIG", "{}"))!.AsObject())
            {
                if (value is not null)
                    json[name] = Durations.Contains(name) ? Canonical(value) : value.DeepClone();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new AgentException($"PROXY_CONFIG is no JSON object: {e.Message.TrimEnd('.')}", e);
        }
        // Without a number of its own, a proxy takes the CPUs its pod may use.
        if (json["concurrency"] is null && environment.Number("ISTIO_CPU_LIMIT", 0) is > 0 and var limit)
            json["concurrency"] = limit;
        return new ProxyConfig(json);
    }

    public string Text(string name) => Json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    // As protobuf's JSON writes it, which is what istiod compares with: no fraction, or one of 3, 6 or 9 digits.
    private static JsonNode Canonical(JsonNode value)
    {
        if (!GoDuration.TryParse(value.ToString(), out var duration))
            return value.DeepClone();
        var format = duration.Ticks % TimeSpan.TicksPerSecond == 0 ? "0"
            : duration.Ticks % TimeSpan.TicksPerMillisecond == 0 ? "0.000"
            : duration.Ticks % TimeSpan.TicksPerMicrosecond == 0 ? "0.000000" : "0.000000000";
        return ((decimal)duration.Ticks / TimeSpan.TicksPerSecond).ToString(format, CultureInfo.InvariantCulture) + "s";
    }

    private int? Number(string name) => Json[name] is not { } node ? null
        : int.TryParse(node.ToString(), out var number) ? number
        : throw new AgentException($"PROXY_CONFIG: {name} is no number");

    private TimeSpan? Duration(string name) => Json[name] is null ? null
        : GoDuration.TryParse(Text(name), out var duration) ? duration
        : throw new AgentException($"PROXY_CONFIG: {name} is no duration such as 5s");
}
