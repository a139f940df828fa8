using System.Text.Json.Nodes;

namespace MeshProxy.Bench.Load;

/// <summary>
/// Bootstraps made of what istiod really sent (tests/Istiod/captured): the filters, the tracing, the access log and the routes of
/// the capture; the address, the cluster and the log's path are the benchmark's.
/// </summary>
internal sealed class CapturedResources(string repository)
{
    private const string Workload = "tests/Istiod/captured/bookinfo/productpage-v1";
    private const string OutboundListener = "0.0.0.0_9080";
    private const string RouteName = "9080";

    // A destination of the captured routes, to which the requests of the load are addressed.
    public const string Authority = "details.default.svc.cluster.local:9080";

    /// <summary>productpage's way out: the listener with its listener filter, and the whole route table of the port.</summary>
    public string Outbound()
    {
        var listener = Named(Resources("lds"), OutboundListener);
        listener.Remove("bind_to_port");
        var chain = listener["filter_chains"]!.AsArray()[0]!.AsObject();
        var manager = Manager(chain);
        var routes = Named(Resources("rds"), RouteName);
        manager.Remove("rds");
        routes.Remove("@type");
        manager["route_config"] = routes;
        return Bootstrap(listener, chain, Used(routes), except: "PassthroughCluster");
    }

    /// <summary>productpage's way in, without TLS: the filter chain of its port, reached directly.</summary>
    public string Inbound()
    {
        var chain = Named(Named(Resources("lds"), "virtualInbound")["filter_chains"]!.AsArray(), "0.0.0.0_9080", last: true);
        chain.Remove("filter_chain_match");
        var listener = new JsonObject { ["name"] = "inbound", ["traffic_direction"] = "INBOUND", ["filter_chains"] = new JsonArray(chain.DeepClone()) };
        var own = listener["filter_chains"]![0]!.AsObject();
        return Bootstrap(listener, own, Used(Manager(own)["route_config"]!.AsObject()), except: null);
    }

    private static string Bootstrap(JsonObject listener, JsonObject chain, IEnumerable<string> clusters, string? except)
    {
        _ = chain["filters"] ?? throw new BenchException("the captured filter chain has no filters: refresh tests/Istiod");
        listener.Remove("@type");
        listener["address"] = Address("{{listen}}");
        var text = new JsonObject
        {
            ["node"] = new JsonObject { ["id"] = "sidecar~10.42.0.10~productpage-v1.default~default.svc.cluster.local", ["cluster"] = "productpage.default" },
            ["admin"] = new JsonObject { ["address"] = Address("{{admin}}") },
            ["static_resources"] = new JsonObject
            {
                ["listeners"] = new JsonArray(listener),
                ["clusters"] = new JsonArray([.. clusters.Append(except ?? "").Where(static name => name.Length > 0).Distinct().Select(Cluster)]),
            },
        }.ToJsonString();
        // A port is a number; a placeholder is a string until it is filled in.
        return text.Replace("\"{{listen}}\"", "{{listen}}").Replace("\"{{admin}}\"", "{{admin}}").Replace("\"{{next}}\"", "{{next}}")
            .Replace("/dev/stdout", "{{dir}}/access.log");
    }

    private static JsonNode Cluster(string name) => new JsonObject
    {
        ["name"] = name,
        ["type"] = "STATIC",
        ["connect_timeout"] = "5s",
        ["load_assignment"] = new JsonObject
        {
            ["cluster_name"] = name,
            ["endpoints"] = new JsonArray(new JsonObject
            {
                ["lb_endpoints"] = new JsonArray(new JsonObject { ["endpoint"] = new JsonObject { ["address"] = Address("{{next}}") } }),
            }),
        },
    };

    private static JsonObject Address(string port) =>
        new() { ["socket_address"] = new JsonObject { ["address"] = "127.0.0.1", ["port_value"] = port } };

    private static JsonObject Manager(JsonObject chain) =>
        chain["filters"]!.AsArray().Select(static filter => filter!["typed_config"]!.AsObject())
            .First(static config => config.ContainsKey("http_filters"));

    private static IEnumerable<string> Used(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(static field => field switch
        {
            { Key: "cluster", Value: JsonValue name } => [name.GetValue<string>()],
            { Key: "clusters", Value: JsonArray weighted } => weighted.Select(static entry => entry!["name"]!.GetValue<string>()),
            _ => Used(field.Value),
        }),
        JsonArray items => items.SelectMany(Used),
        _ => [],
    };

    private JsonArray Resources(string type)
    {
        var path = Path.Combine(repository, Workload, $"{type}.json");
        return JsonNode.Parse(File.ReadAllText(path))!["resources"]!.AsArray();
    }

    private static JsonObject Named(JsonArray resources, string name, bool last = false)
    {
        var found = resources.Where(resource => (string?)resource!["name"] == name).ToArray();
        var chosen = last ? found.LastOrDefault() : found.FirstOrDefault();
        return chosen?.DeepClone().AsObject() ?? throw new BenchException($"{Workload} has no {name}: refresh tests/Istiod");
    }
}
