using MeshProxy.Demo.Network;
using MeshProxy.EndToEnd.Alone;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>Flags, bootstraps, files and control planes that are not as they should be.</summary>
[Trait("Category", "EndToEnd")]
public sealed class BadConfigurationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [ExecutableTheory]
    [InlineData("{ \"admin\": ", "bootstrap.json")]
    [InlineData("[]", "bootstrap.json")]
    [InlineData("""{ "static_resourcez": {} }""", "static_resourcez")]
    [InlineData("""{ "static_resources": { "listeners": [{ "name": "a", "address": { "socket_address": { "address": "127.0.0.1", "port_value": 70000 } } }] } }""", "port_value")]
    [InlineData("""{ "static_resources": { "listeners": [{ "name": "a", "address": { "socket_address": { "address": "nowhere", "port_value": 1 } } }] } }""", "nowhere")]
    [InlineData("""{ "static_resources": { "clusters": [{ "name": "", "type": "STATIC" }] } }""", "name")]
    [InlineData("""{ "static_resources": { "clusters": [{ "name": "a", "type": "SOMEHOW" }] } }""", "SOMEHOW")]
    [InlineData("""{ "static_resources": { "clusters": [{ "name": "a", "connect_timeout": "soon" }] } }""", "connect_timeout")]
    [InlineData("""{ "static_resources": { "clusters": [{ "name": "a", "type": "STATIC", "transport_socket": { "name": "x", "typed_config": { "@type": "type.googleapis.com/no.such.Message" } } }] } }""", "no.such.Message")]
    [InlineData("""{ "node": { "id": "a", "cluster": "a" }, "dynamic_resources": { "cds_config": { "path_config_source": { "path": "/no/such/folder/cds.json" } } } }""", "/no/such/folder/cds.json")]
    public void A_wrong_bootstrap_is_refused_in_one_sentence_that_names_the_place(string text, string place)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Put("bootstrap.json", text);
        AssertRefused(place, "-c", file, "-l", "error", "--disable-hot-restart");
    }

    [ExecutableTheory]
    [InlineData("bootstrap.json", "-c", "/no/such/bootstrap.json")]
    [InlineData("--frobnicate", "-c", "x", "--frobnicate")]
    [InlineData("concurrency", "-c", "x", "--concurrency", "many")]
    [InlineData("log", "-c", "x", "-l", "loudly")]
    [InlineData("--log-level", "-l")]
    [InlineData("config", "-l", "info")]
    [InlineData("ambassador", "proxy", "ambassador")]
    [InlineData("--frobnicate", "proxy", "sidecar", "--frobnicate")]
    [InlineData("--dir", "control-plane")]
    [InlineData("/no/such/folder", "control-plane", "--dir", "/no/such/folder", "--listen", "127.0.0.1:0")]
    [InlineData("nowhere", "control-plane", "--dir", "/", "--listen", "nowhere")]
    [InlineData("loud", "init", "--dry-run", "-p", "loud")]
    [InlineData("/no/such/file.yaml", "inject", "-f", "/no/such/file.yaml")]
    [InlineData("frobnicate", "frobnicate")]
    public void A_wrong_command_line_is_refused_in_one_sentence(string part, params string[] arguments) =>
        AssertRefused(part, arguments);

    [ExecutableFact]
    public async Task A_control_plane_that_is_not_there_is_waited_for_while_what_is_static_serves()
    {
        await using var backend = await Backend.StartAsync();
        var ports = Ports.Free(2);
        using var folder = new TemporaryFolder();
        folder.Put("lds.json", "[" + Typed(TestConfiguration.Listener(ports[1])) + "]");
        const string source = """{ "ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0.1s" }""";
        await using var proxy = await BareProxy.StartAsync(
            $"{TestConfiguration.Clusters(backend)}, {TestConfiguration.Cluster("xds", ports[0], TestConfiguration.Http2)}",
            "",
            $$"""
            , "node": { "id": "web", "cluster": "web" }, "dynamic_resources": {
              "lds_config": {{source}}, "cds_config": {{source}},
              "ads_config": { "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{ "envoy_grpc": { "cluster_name": "xds" } }] }
            }
            """);
        await proxy.Process.WaitUntilAsync(
            async () => await proxy.StatAsync("cluster.xds.upstream_cx_connect_fail") > 0, Patience, CancellationToken.None);
        await using var controlPlane = ChildProcess.Start(
            "the control plane",
            [MeshFactAttribute.Executable, "control-plane", "--dir", folder.Path, "--listen", $"127.0.0.1:{ports[0]}"]);
        await proxy.Process.WaitUntilAsync(
            async () => await proxy.StatAsync("listener_manager.lds.update_success") > 0, Patience, CancellationToken.None);
        using var caller = new Caller("HTTP/1.1", ports[1]);
        await caller.CallAsync("/");

        // And when it goes, what it said stays.
        controlPlane.Terminate();
        Assert.Equal(0, await controlPlane.WaitForExitAsync(CancellationToken.None));
        await proxy.Process.WaitUntilAsync(
            async () => await proxy.StatAsync("control_plane.connected_state") == 0, Patience, CancellationToken.None);
        await caller.CallAsync("/");
        Assert.True(await proxy.IsLiveAsync());
    }

    [ExecutableFact]
    public async Task A_file_that_is_half_written_changes_nothing_until_it_is_whole()
    {
        await using var backend = await Backend.StartAsync();
        var ports = Ports.Free(2);
        using var folder = new TemporaryFolder();
        var file = folder.Put("lds.json", Discovery(ports[0]));
        await using var proxy = await BareProxy.StartAsync(
            TestConfiguration.Clusters(backend), "",
            $$"""
            , "node": { "id": "web", "cluster": "web" },
            "dynamic_resources": { "lds_config": { "resource_api_version": "V3", "path_config_source": { "path": "{{file}}" } } }
            """);
        using var before = new Caller("HTTP/1.1", ports[0]);
        await before.CallAsync("/");

        var whole = Discovery(ports[1]);
        folder.Put("lds.json", whole[..(whole.Length / 2)]);
        await proxy.Process.WaitUntilAsync(IsRefusedAsync, Patience, CancellationToken.None);
        await before.CallAsync("/");
        Assert.True(await proxy.IsLiveAsync());

        folder.Put("lds.json", whole);
        await proxy.Process.WaitUntilAsync(
            async () => await proxy.StatAsync("listener_manager.lds.update_success") > 1, Patience, CancellationToken.None);
        using var after = new Caller("HTTP/1.1", ports[1]);
        await after.CallAsync("/");

        // Envoy counts files that cannot be read as failures and those that must not be applied as rejected.
        async Task<bool> IsRefusedAsync() =>
            await proxy.StatAsync("listener_manager.lds.update_rejected") +
            await proxy.StatAsync("listener_manager.lds.update_failure") > 0;
    }

    private static string Discovery(int port) => $$"""
        { "version_info": "{{port}}", "resources": [{{Typed(TestConfiguration.Listener(port))}}] }
        """;

    private static string Typed(string listener) =>
        listener.Replace("\"name\": \"inbound\"", "\"@type\": \"type.googleapis.com/envoy.config.listener.v3.Listener\", \"name\": \"inbound\"", StringComparison.Ordinal);

    private static void AssertRefused(string part, params string[] arguments)
    {
        var (code, _, error) = Command.Try(MeshFactAttribute.Executable, arguments);
        Assert.True(code == 1, $"it ended with {code}: {error}");
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(part, line, StringComparison.Ordinal);
    }
}
