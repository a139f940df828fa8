using System.Net;
using System.Text.Json;
using Xunit;

namespace MeshProxy.Cli.Tests;

/// <summary>The commands against a running proxy: what `explain` foretells happens, and `failures` says why it did.</summary>
public sealed class LiveTests : IDisposable
{
    private const string Bootstrap = """
        admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
        static_resources:
          listeners:
          - name: web
            address: {socket_address: {address: 127.0.0.1, port_value: 0}}
            filter_chains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: web
                  route_config:
                    name: table
                    virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                      - {match: {prefix: /dead}, name: dead, route: {cluster: dead}}
                      - {match: {prefix: /empty}, route: {cluster: empty}}
                      - {match: {prefix: /secret}, direct_response: {status: 200}}
                      - {match: {prefix: /fine}, direct_response: {status: 200}}
                  http_filters:
                  - name: envoy.filters.http.rbac
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
                      rules:
                        action: DENY
                        policies:
                          "ns[shop]-policy[no-secrets]-rule[0]":
                            permissions: [{url_path: {path: {prefix: /secret}}}]
                            principals: [{any: true}]
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          clusters:
          - name: dead
            type: STATIC
            load_assignment:
              cluster_name: dead
              endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]
          - name: empty
            type: STATIC
            load_assignment: {cluster_name: empty}
        """;

    private readonly RunningProxy _proxy = new(Bootstrap);

    public void Dispose() => _proxy.Dispose();

    [Theory]
    [InlineData("/secret/x", HttpStatusCode.Forbidden, "403 by envoy.filters.http.rbac")]
    [InlineData("/empty", HttpStatusCode.ServiceUnavailable, "503, as cluster empty has no endpoints (UH)")]
    [InlineData("/other", HttpStatusCode.NotFound, "404, as no route fits (NR, route_not_found)")]
    [InlineData("/fine", HttpStatusCode.OK, "200 by the route itself (direct_response)")]
    public void Explains_what_then_happens(string path, HttpStatusCode status, string outcome)
    {
        // The dump has the port as configured, which is 0: the listener is named.
        var url = $"http://127.0.0.1:{_proxy.PortOf("web")}{path}";
        Assert.Contains(outcome, _proxy.Ask("explain", url, "--listener", "web").Output, StringComparison.Ordinal);
        Assert.Equal(status, RunningProxy.Fetch(url).Status);
    }

    [Fact]
    public void Failures_are_grouped_and_explained()
    {
        Assert.Equal("No failures in the last 10 minutes.", _proxy.Ask("failures").Output.Trim());
        var web = $"http://127.0.0.1:{_proxy.PortOf("web")}";
        foreach (var path in (string[])["/dead", "/dead?token=1", "/empty", "/secret", "/fine"])
        {
            RunningProxy.Fetch(web + path);
        }
        using var document = JsonDocument.Parse(_proxy.Ask("failures", "--json").Output);
        var failures = document.RootElement.GetProperty("failures").EnumerateArray()
            .ToDictionary(static one => one.GetProperty("response_flags").GetString()!);
        Assert.Equal(["-", "UF", "UH"], failures.Keys.Order());
        Assert.Equal(2, failures["UF"].GetProperty("count").GetInt32());
        Assert.Equal("127.0.0.1:1", failures["UF"].GetProperty("upstream_host").GetString());
        Assert.DoesNotContain("token", failures["UF"].GetProperty("example").GetString(), StringComparison.Ordinal);
        Assert.Equal("ns[shop]-policy[no-secrets]-rule[0]", failures["-"].GetProperty("policy").GetString());
        Assert.Contains("AuthorizationPolicy no-secrets in namespace shop", failures["-"].GetProperty("sentence").GetString(), StringComparison.Ordinal);
        Assert.Contains("empty has no healthy endpoint", _proxy.Ask("failures").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("minutes=0")]
    [InlineData("minutes=x")]
    [InlineData("format=xml")]
    public void Failures_refuses_what_it_cannot_read(string query) =>
        Assert.Equal(HttpStatusCode.BadRequest, _proxy.Get($"/failures?{query}").Status);

    [Fact]
    public void Lists_come_from_the_running_proxy()
    {
        Assert.Contains("web", _proxy.Ask("config", "listeners", "-o", "yaml").Output, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1", _proxy.Ask("endpoints", "--cluster", "dead").Output, StringComparison.Ordinal);
        Assert.Contains("active loggers:", _proxy.Ask("config", "log").Output, StringComparison.Ordinal);
        Assert.Contains("rbac: debug", _proxy.Ask("config", "log", "--level", "rbac:debug").Output, StringComparison.Ordinal);
        Assert.Equal(0, _proxy.Ask("config", "unsupported").Exit);
        Assert.Contains("127.0.0.1", _proxy.Ask("config", "bootstrap").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dump_and_the_proxy_it_is_of_do_not_differ()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, _proxy.Get("/config_dump?include_eds").Body);
            var result = Meshproxy.Run(["diff", file, _proxy.Admin], Path.GetTempPath());
            Assert.Equal((0, "No difference."), (result.Exit, result.Output.Trim()));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
