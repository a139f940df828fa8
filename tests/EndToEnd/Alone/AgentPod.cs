using System.Net;
using System.Text.Json.Nodes;
using MeshProxy.Demo.Network;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>`meshproxy proxy sidecar` with a control plane of ours in istiod's place, in a folder that is the pod's.</summary>
internal sealed class AgentPod : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder;
    private readonly ChildProcess _controlPlane;
    private readonly HttpClient _client = new() { Timeout = StartLimit };
    private readonly int _readyPort;

    private AgentPod(DirectoryInfo folder, ChildProcess controlPlane, ChildProcess process, int readyPort) =>
        (_folder, _controlPlane, Process, _readyPort) = (folder, controlPlane, process, readyPort);

    public ChildProcess Process { get; }

    /// <summary>Starts one and waits until its readiness port says 200.</summary>
    /// <param name="clusters">What the control plane serves: clusters, a list's members.</param>
    /// <param name="listeners">The same of listeners.</param>
    /// <param name="variables">Beyond what the injector writes, NAME=VALUE.</param>
    public static async Task<AgentPod> StartAsync(string clusters, string listeners, params string[] variables)
    {
        var folder = Directory.CreateTempSubdirectory("agent-");
        var resources = folder.CreateSubdirectory("resources").FullName;
        Write(resources, "cds.json", "envoy.config.cluster.v3.Cluster", clusters);
        Write(resources, "lds.json", "envoy.config.listener.v3.Listener", listeners);
        var pod = folder.CreateSubdirectory("pod").FullName;
        var ports = Ports.Free(5);
        var xds = $"127.0.0.1:{ports[0]}";
        var controlPlane = ChildProcess.Start(
            "the control plane", [MeshFactAttribute.Executable, "control-plane", "--dir", resources, "--listen", xds]);
        var config = $$"""
            {"discoveryAddress":"{{xds}}","controlPlaneAuthPolicy":"NONE","statusPort":{{ports[1]}},"proxyAdminPort":{{ports[2]}},"concurrency":2}
            """;
        var agent = ChildProcess.Start("the agent", [
            "env", "-C", pod, "POD_NAME=web-0", "POD_NAMESPACE=shop", "INSTANCE_IP=127.0.0.1", "SERVICE_ACCOUNT=web",
            $"CA_ADDR={xds}", $"PROXY_CONFIG={config}", $"ENVOY_STATUS_PORT={ports[3]}",
            $"ENVOY_PROMETHEUS_PORT={ports[4]}", .. variables,
            MeshFactAttribute.Executable, "proxy", "sidecar", "--domain", "shop.svc.cluster.local",
            "--proxyLogLevel=warning", "--proxyComponentLogLevel=misc:error", "--log_output_level=default:info",
        ]);
        var running = new AgentPod(folder, controlPlane, agent, ports[3]);
        try
        {
            await agent.WaitUntilAsync(running.IsReadyAsync, StartLimit, CancellationToken.None);
            return running;
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Process.DisposeAsync();
        await _controlPlane.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static void Write(string folder, string file, string type, string resources)
    {
        var typed = new JsonArray([.. JsonNode.Parse($"[{resources}]")!.AsArray().Select(resource =>
        {
            var copy = resource!.DeepClone();
            copy["@type"] = "type.googleapis.com/" + type;
            return copy;
        })]);
        File.WriteAllText(Path.Combine(folder, file), typed.ToJsonString());
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await _client.GetAsync(new Uri($"http://127.0.0.1:{_readyPort}/healthz/ready"));
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
