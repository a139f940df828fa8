using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Server;
using MeshProxy.Xds.Bootstrap;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Configuration;

/// <summary>What interfaces' own rules let pass, and Envoy's hand-written checks refuse; and its neighbours that are accepted.</summary>
public class RefusalTests
{
    private const string Struct = """{"@type": "type.googleapis.com/google.protobuf.Struct"}""";
    private const string RoundRobin =
        """
        "load_balancing_policy": {"policies": [{"typed_extension_config": {"name": "rr", "typed_config":
        {"@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin"}}}]}
        """;

    [Theory]
    [InlineData("\"watchdog\": {}, \"watchdogs\": {}", "Only one of watchdog")]
    [InlineData("\"stats_flush_interval\": \"5s\", \"stats_flush_on_admin\": true", "Only one of stats_flush_interval")]
    [InlineData("\"default_regex_engine\": {\"name\": \"x\", \"typed_config\": " + Struct + "}", "default_regex_engine")]
    [InlineData("\"typed_dns_resolver_config\": {\"name\": \"x\", \"typed_config\": " + Struct + "}", "typed_dns_resolver_config")]
    [InlineData("\"tracing\": {\"http\": {\"name\": \"x\", \"typed_config\": " + Struct + "}}", "tracing.http")]
    [InlineData("\"layered_runtime\": {\"layers\": [{\"name\": \"a\", \"static_layer\": {\"x\": null}}]}", "Invalid runtime entry value for x")]
    [InlineData("\"layered_runtime\": {\"layers\": [{\"name\": \"a\", \"static_layer\": {\"x\": [1]}}]}", "Invalid runtime entry value for x")]
    public void Bootstrap_is_refused(string members, string reason) => Refused(new Parts { Bootstrap = members }, reason);

    [Theory]
    [InlineData("\"enable_mptcp\": true, \"address\": {\"pipe\": {\"path\": \"@x\"}}", "enable_mptcp")]
    [InlineData("\"address\": {\"pipe\": {\"path\": \"@x\"}}, \"additional_addresses\": [{}]", "has no address")]
    [InlineData("\"address\": {\"envoy_internal_address\": {\"server_listener_name\": \"a\"}}", "use internal_listener field")]
    [InlineData("\"address\": {\"socket_address\": {\"address\": \"127.0.0.1\", \"named_port\": \"http\"}}", "named_port")]
    [InlineData("\"address\": {\"socket_address\": {\"address\": \"127.0.0.1\", \"port_value\": 0, \"resolver_name\": \"x\"}}", "Unknown address resolver")]
    [InlineData("\"internal_listener\": {}, \"enable_reuse_port\": true", "unsupported tcp listener feature")]
    [InlineData("\"internal_listener\": {}, \"socket_options\": [{\"level\": 1, \"name\": 1, \"int_value\": 1}]", "does not support socket option")]
    public void Listener_is_refused(string members, string reason) => Refused(new Parts { Listener = members }, reason);

    [Theory]
    [InlineData("\"server_names\": [\"a.test\", \"A.test\"]")]
    [InlineData("\"application_protocols\": [\"h2\", \"h2\"]")]
    [InlineData("\"source_ports\": [1, 1]")]
    [InlineData("\"prefix_ranges\": [{\"address_prefix\": \"10.0.0.0\", \"prefix_len\": 8}, {\"address_prefix\": \"10.1.0.0\", \"prefix_len\": 8}]")]
    public void Filter_chain_that_names_a_value_twice_is_refused(string match) =>
        Refused(new Parts { Chain = $"\"filter_chain_match\": {{{match}}}" }, "overlapping matching rules");

    [Theory]
    [InlineData("\"access_log_options\": {}, \"flush_access_log_on_new_request\": true", "Only one of flush_access_log_on_new_request")]
    [InlineData("\"access_log_options\": {}, \"access_log_flush_interval\": \"1s\"", "Only one of access_log_flush_interval")]
    [InlineData("\"typed_header_validation_config\": {\"name\": \"v\", \"typed_config\": " + Struct + "}", "header validator")]
    [InlineData("\"http2_protocol_options\": {\"custom_settings_parameters\": [{\"identifier\": 9, \"value\": 1}, {\"identifier\": 9, \"value\": 2}]}", "inconsistent HTTP/2 custom SETTINGS")]
    [InlineData("\"http2_protocol_options\": {\"custom_settings_parameters\": [{\"identifier\": 2, \"value\": 1}]}", "server push")]
    [InlineData("\"http2_protocol_options\": {\"custom_settings_parameters\": [{\"identifier\": 8, \"value\": 1}]}", "allow_connect")]
    [InlineData("\"http2_protocol_options\": {\"hpack_table_size\": 1, \"custom_settings_parameters\": [{\"identifier\": 1, \"value\": 1}]}", "named and custom parameters")]
    public void Manager_is_refused(string members, string reason) => Refused(new Parts { Manager = members }, reason);

    [Theory]
    [InlineData("\"retry_policy\": {\"retry_options_predicates\": [{\"name\": \"x\", \"typed_config\": " + Struct + "}]}", "retry_options_predicates")]
    [InlineData("\"retry_policy_typed_config\": " + Struct, "retry_policy_typed_config")]
    [InlineData("\"early_data_policy\": {\"name\": \"x\", \"typed_config\": " + Struct + "}", "early_data_policy")]
    public void Route_is_refused(string members, string reason) => Refused(new Parts { Route = members }, reason);

    [Theory]
    [InlineData("\"dns_failure_refresh_rate\": {\"base_interval\": \"5s\", \"max_interval\": \"1s\"}, \"type\": \"STRICT_DNS\"", "max_interval >= base_interval")]
    [InlineData(RoundRobin + ", \"lb_subset_config\": {}", "cannot be combined with lb_subset_config")]
    [InlineData(RoundRobin + ", \"common_lb_config\": {\"zone_aware_lb_config\": {}}", "partial fields")]
    [InlineData(RoundRobin + ", \"type\": \"ORIGINAL_DST\"", "cluster provided LB not specified")]
    [InlineData("\"circuit_breakers\": {\"per_host_thresholds\": [{\"max_requests\": 1}]}", "Unsupported field in per_host_thresholds")]
    [InlineData("\"transport_socket_matches\": [{\"name\": \"a\", \"match\": {}}]", "needs a transport_socket")]
    [InlineData("\"transport_socket\": {\"name\": \"envoy.transport_sockets.raw_buffer\"}", "registered implementation")]
    [InlineData("\"health_checks\": [{\"timeout\": \"1s\", \"interval\": \"1s\", \"unhealthy_threshold\": 1, \"healthy_threshold\": 1, \"http_health_check\": {\"path\": \"/\", \"send\": {\"text\": \"00\"}}}]", "request payload")]
    [InlineData("\"load_assignment\": {\"cluster_name\": \"c\", \"policy\": {\"drop_overloads\": [{\"category\": \"a\"}, {\"category\": \"b\"}]}}", "has 2 categories")]
    [InlineData("\"upstream_bind_config\": {\"local_address_selector\": {\"name\": \"x\", \"typed_config\": " + Struct + "}}", "local_address_selector")]
    [InlineData("\"upstream_bind_config\": {\"source_address\": {\"address\": \"127.0.0.1\", \"port_value\": 0}, \"extra_source_addresses\": [{\"address\": {\"address\": \"127.0.0.1\", \"port_value\": 0}}]}", "same IP version")]
    public void Cluster_is_refused(string members, string reason) => Refused(new Parts { Cluster = members }, reason);

    [Theory]
    [InlineData("\"access_log_options\": {}, \"flush_access_log_on_connected\": true", "Only one of flush_access_log_on_connected")]
    [InlineData("\"upstream_connect_mode\": \"ON_DOWNSTREAM_DATA\"", "max_early_data_bytes")]
    [InlineData("\"backoff_options\": {\"base_interval\": \"5s\", \"max_interval\": \"1s\"}", "max_interval")]
    public void Tcp_proxy_is_refused(string members, string reason) => Refused(new Parts { TcpProxy = members }, reason);

    [Fact]
    public void Neighbours_are_accepted()
    {
        Compile(new Parts());
        Compile(new Parts { Manager = "\"access_log_options\": {\"flush_access_log_on_new_request\": true}" });
        Compile(new Parts { Cluster = RoundRobin + ", \"common_lb_config\": {\"healthy_panic_threshold\": {\"value\": 20}}" });
        Compile(new Parts { Cluster = "\"circuit_breakers\": {\"per_host_thresholds\": [{\"max_connections\": 1}]}" });
        Compile(new Parts { TcpProxy = "\"upstream_connect_mode\": \"ON_DOWNSTREAM_DATA\", \"max_early_data_bytes\": 1" });
        Compile(new Parts
        {
            Manager = "\"http2_protocol_options\": {\"custom_settings_parameters\": [{\"identifier\": 9, \"value\": 1}, {\"identifier\": 9, \"value\": 1}]}",
        });
    }

    private static void Refused(Parts parts, string reason)
    {
        var refused = Assert.ThrowsAny<Exception>(() => Compile(parts));
        Assert.True(refused is ConfigurationException or ProtobufException, refused.ToString());
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    private static void Compile(Parts parts)
    {
        var loaded = BootstrapLoader.Load(EnvoyOptions.Parse(["--config-yaml", parts.ToString(), "--mode", "validate"]));
        using var server = new ProxyServer(
            loaded.Bootstrap, new ServerOptions { Concurrency = 1, ValidateOnly = true },
            new Loggers(new LogSink(TextWriter.Null, ""), LogLevel.Off, new Dictionary<string, LogLevel>()));
        server.Validate();
    }

    /// <summary>Members added to the messages of a bootstrap that is accepted as it is.</summary>
    private sealed class Parts
    {
        public string Bootstrap { get; init; } = "\"flags_path\": \"\"";

        public string Listener { get; init; } = "\"address\": {\"socket_address\": {\"address\": \"127.0.0.1\", \"port_value\": 0}}";

        public string Chain { get; init; } = "\"name\": \"chain\"";

        public string Manager { get; init; } = "\"via\": \"\"";

        public string Route { get; init; } = "\"timeout\": \"1s\"";

        public string Cluster { get; init; } = "\"type\": \"STATIC\"";

        public string? TcpProxy { get; init; }

        public override string ToString() =>
            $$$$"""
            {"node": {"id": "n", "cluster": "c"}, {{{{Bootstrap}}}},
             "bootstrap_extensions": [{"name": "envoy.bootstrap.internal_listener", "typed_config":
              {"@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"}}],
             "static_resources": {
              "listeners": [{"name": "main", {{{{Listener}}}}, "filter_chains": [{ {{{{Chain}}}}, "filters": [{"name": "last", "typed_config": {{{{LastFilter}}}}}]}]}],
              "clusters": [{"name": "c1", {{{{Cluster}}}}}]}}
            """;

        private string LastFilter => TcpProxy is { } members
            ? $$$$"""
              {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
               "stat_prefix": "x", "cluster": "c1", {{{{members}}}}}
              """
            : $$$$"""
              {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
               "stat_prefix": "x", {{{{Manager}}}},
               "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "c1", {{{{Route}}}}}}]}]},
               "http_filters": [{"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
              """;
    }
}
