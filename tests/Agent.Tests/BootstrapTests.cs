using System.Text.Json.Nodes;
using MeshProxy.Agent.Configuration;
using MeshProxy.Xds.Bootstrap;
using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>Our bootstraps say what pilot-agent's said, as far as istiod, scrapers, dashboards and tools can tell.</summary>
public sealed class BootstrapTests
{
    public static TheoryData<string> Recordings => [.. RecordedAgent.Names];

    [Theory]
    [MemberData(nameof(Recordings))]
    public void The_command_line_is_the_recorded_one(string name)
    {
        var recorded = new RecordedAgent(name);
        using var pod = recorded.MakePod();
        var variables = recorded.Environment;
        if (variables.ContainsKey("ISTIO_BOOTSTRAP_OVERRIDE"))
        {
            var given = recorded.Arguments[recorded.Arguments.ToList().IndexOf("--config-yaml") + 1];
            pod.Write("override.json", given.Replace(variables["HOST_IP"], "$(HOST_IP)", StringComparison.Ordinal));
            variables["ISTIO_BOOTSTRAP_OVERRIDE"] = Path.Combine(pod.Path, "override.json");
        }
        var environment = new AgentEnvironment(variables);
        var config = ProxyConfig.Read(environment);
        var ours = BootstrapBuilder.Arguments(recorded.Options, environment, config, "etc/istio/proxy/envoy-rev.json");
        Assert.Equal(recorded.Arguments.Skip(1), ours);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void The_node_is_the_recorded_one(string name)
    {
        var (recorded, ours) = Build(name);
        AssertSame(recorded["node"], ours["node"]);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Ports_lead_where_the_recorded_ones_do(string name)
    {
        var (recorded, ours) = Build(name);
        Assert.Equal(Place(recorded["admin"]!["address"]), Place(ours["admin"]!["address"]));
        Assert.Equal(Listeners(recorded), Listeners(ours));
        Assert.Equal(Clusters(recorded), Clusters(ours));
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Sources_sinks_tracers_and_limits_are_the_recorded_ones(string name)
    {
        var (recorded, ours) = Build(name);
        foreach (var part in (string[])["dynamic_resources", "cluster_manager", "stats_sinks", "tracing", "overload_manager", "deferred_stat_options", "application_log_config"])
            AssertSame(recorded[part], ours[part]);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Statistics_are_kept_and_tagged_as_recorded(string name)
    {
        var (recorded, ours) = Build(name);
        Assert.Equal(Patterns(recorded), Patterns(ours));
        Assert.Equal(Tags(recorded).Keys.Order(), Tags(ours).Keys.Order());
        Assert.False((bool)ours["stats_config"]!["use_all_default_tags"]!);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void The_proxy_understands_all_of_it(string name)
    {
        var (_, ours) = Build(name);
        var file = Path.GetTempFileName();
        File.WriteAllText(file, ours.ToJsonString());
        var loaded = BootstrapLoader.Load(EnvoyOptions.Parse(["-c", file]));
        File.Delete(file);
        Assert.Empty(loaded.UnknownFields);
    }

    [Theory]
    [InlineData("cluster.outbound|9080||reviews.default.svc.cluster.local;.upstream_cx_total")]
    [InlineData("cluster.xds-grpc;.upstream_rq_200")]
    [InlineData("cluster.inbound|8080||;.circuit_breakers.default.cx_open")]
    [InlineData("http.inbound_0.0.0.0_8080;.downstream_rq_2xx")]
    [InlineData("http.outbound_[fd00:10::1]_80;.downstream_rq_total")]
    [InlineData("http.outbound_0.0.0.0_80;.rbac.istio_dry_run_allow_shadow_denied")]
    [InlineData("listener.0.0.0.0_15006.downstream_cx_active")]
    [InlineData("listener.[__]_15006.downstream_cx_active")]
    [InlineData("listener.[fd00__1]_15006.ssl.connection_error")]
    [InlineData("listener.10.42.0.10_80.http.outbound_0.0.0.0_80;.downstream_rq_2xx")]
    [InlineData("listener.0.0.0.0_15090.http.stats.downstream_rq_2xx")]
    [InlineData("listener.0.0.0.0_15006.http.0.0.0.0_15006.downstream_rq_503")]
    [InlineData("listener_manager.workers_started")]
    [InlineData("server.worker_0.watchdog_miss")]
    [InlineData("server.main_thread.watchdog_miss")]
    [InlineData("tcp.outbound|7000||echo.default.svc.cluster.local.downstream_cx_total")]
    [InlineData("tcp.BlackHoleCluster.downstream_cx_rx_bytes_total")]
    [InlineData("mongo.inbound_27017.op_query")]
    [InlineData("mongo.shop.collection.items.query.total")]
    [InlineData("mongo.shop.cx_destroy_local_with_active_rq")]
    [InlineData("vhost.reviews.route.main.upstream_rq_503")]
    [InlineData("wasm_filter.stats_filter.cache.hit.metric_cache_count")]
    [InlineData("component.proxy.tag.1.32;.istio_build")]
    [InlineData("http.inbound_0.0.0.0_8080;.rbac.allowed")]
    [InlineData("rbac.denied")]
    [InlineData("http.inbound_0.0.0.0_8080;.rbac.shadow_allowed")]
    [InlineData("istiocustom.istio_requests_total.request_host=.=reviews;.;response_code.=.200")]
    public void A_statistic_gets_the_tags_that_it_gets_with_the_recorded_bootstrap(string statistic)
    {
        var (recorded, ours) = Build("concurrency");
        foreach (var (tag, expression) in Tags(recorded))
            Assert.Equal((tag, TagExpressions.Find(expression, statistic)), (tag, TagExpressions.Find(Tags(ours)[tag], statistic)));
    }

    private static (JsonObject Recorded, JsonObject Ours) Build(string name)
    {
        var recorded = new RecordedAgent(name);
        using var pod = recorded.MakePod();
        var environment = new AgentEnvironment(recorded.Environment);
        return (recorded.Bootstrap, BootstrapBuilder.Build(recorded.Options, environment, ProxyConfig.Read(environment)));
    }

    private static void AssertSame(JsonNode? recorded, JsonNode? ours) =>
        Assert.Equal(Canonical(recorded)?.ToJsonString(), Canonical(ours)?.ToJsonString());

    // Members in order of their names; empty text, which protobuf's JSON does not tell from none, left out.
    private static JsonNode? Canonical(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(fields.Where(f => f.Value?.ToString() is not "")
            .OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => KeyValuePair.Create(f.Key, Canonical(f.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Canonical)]),
        _ => node?.DeepClone(),
    };

    private static string Place(JsonNode? address) => address?["socket_address"] is { } socket
        ? $"{socket["address"]}:{socket["port_value"]}"
        : $"{address?["pipe"]?["path"]}";

    private static IEnumerable<string> Listeners(JsonObject bootstrap) =>
        bootstrap["static_resources"]!["listeners"]!.AsArray().Select(listener =>
        {
            var chain = listener!["filter_chains"]![0]!;
            var manager = chain["filters"]![0]!["typed_config"]!;
            var route = manager["route_config"]!["virtual_hosts"]![0]!["routes"]![0]!;
            var filters = manager["http_filters"]!.AsArray().Select(f => f!["name"]!.ToString());
            return $"{listener["name"]} {Place(listener["address"])} {manager["stat_prefix"]} {route["match"]!["prefix"]} -> "
                + $"{route["route"]!["cluster"]} {chain["transport_socket"]?["name"]} {string.Join(' ', filters)}";
        });

    private static IEnumerable<string> Clusters(JsonObject bootstrap) =>
        bootstrap["static_resources"]!["clusters"]!.AsArray().Select(cluster =>
        {
            var host = cluster!["load_assignment"]?["endpoints"]![0]!["lb_endpoints"]![0]!["endpoint"]!["address"];
            return $"{cluster["name"]} {cluster["alt_stat_name"]} {cluster["type"]} {Place(host)} {cluster["dns_lookup_family"]} "
                + $"{cluster["typed_extension_protocol_options"]?.ToJsonString().Contains("http2", StringComparison.Ordinal)}";
        }).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Patterns(JsonObject bootstrap) =>
        bootstrap["stats_config"]!["stats_matcher"]!["inclusion_list"]!["patterns"]!.AsArray()
            .Select(p => p!.ToJsonString()).Order(StringComparer.Ordinal);

    private static Dictionary<string, string> Tags(JsonObject bootstrap) =>
        bootstrap["stats_config"]!["stats_tags"]!.AsArray().ToDictionary(t => t!["tag_name"]!.ToString(), t => t!["regex"]!.ToString());
}
