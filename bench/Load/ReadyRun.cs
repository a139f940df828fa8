using System.Text.Json.Nodes;

namespace MeshProxy.Bench.Load;

/// <summary>From exec to /ready 200: with a small bootstrap, and with pilot-agent's bootstrap and what istiod sent to bookinfo's productpage.</summary>
internal sealed class ReadyRun(Options options, Workshop workshop, Report report)
{
    private const string Workload = "tests/Istiod/captured/bookinfo/productpage-v1";
    private const string AgentBootstrap = "tests/Istiod/agent/default/bootstrap.json";

    // The captured virtualInbound has 8 chains and waits for secrets; Envoy waits 15 s for them before it goes on without.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public void Run()
    {
        report.Heading("ready: exec to /ready 200");
        report.Header("peer", "small bootstrap, ms", "istiod's bookinfo over ADS and SDS, ms");
        using var backend = Backend.Start(workshop);
        foreach (var kind in workshop.Peers.Where(static kind => kind is PeerKind.MeshProxy or PeerKind.Envoy))
            report.Row(kind.ToString(), Try(() => Small(kind, backend.Port)), Try(() => Istiod(kind)));
        report.Line($"\nAn injected pod (`meshproxy proxy sidecar`), exec to 200 on its readiness port: {Try(Pod)} ms.");
        report.Line($"\nExecutable: {new FileInfo(workshop.Executable).Length / 1e6:0.0} MB.");
    }

    private string Small(PeerKind kind, int backend)
    {
        var configuration = workshop.Configuration(Scenario.All[0], "proxy", kind);
        return Repeat(() =>
        {
            var started = TimeProvider.System.GetTimestamp();
            using var peer = Peer.Launch(workshop, kind, "ready/small", configuration, backend);
            return ReadyProbe.Wait(peer, peer.AdminPort, started, Limit);
        }).Text("0.0");
    }

    private string Istiod(PeerKind kind)
    {
        var (discovery, control, secrets) = (Peer.FreePort(), Peer.FreePort(), Peer.FreePort());
        var folder = workshop.Folder("ready/control-plane");
        using var replay = Command.Start("node",
            [Path.Combine(workshop.Repository, "tests/Istiod/replay.mjs"), "--dir", Path.Combine(workshop.Repository, Workload),
                "--port", $"{discovery}", "--control", $"{control}"],
            Path.Combine(folder, "replay.log"));
        // The agent's secrets: `default` and `ROOTCA`, as meshproxy's own control plane makes them.
        using var agent = Command.Start(workshop.Executable,
            ["control-plane", "--dir", workshop.Folder("ready/resources"), "--listen", $"127.0.0.1:{secrets}"], Path.Combine(folder, "secrets.log"));
        Peer.WaitUntilListening(replay, "replay.mjs", discovery, Limit);
        Peer.WaitUntilListening(agent, "meshproxy control-plane", secrets, Limit);
        var configuration = Bootstrap(discovery, secrets);
        return Repeat(() =>
        {
            var started = TimeProvider.System.GetTimestamp();
            using var peer = Peer.Launch(workshop, kind, "ready/istiod", configuration, backend: 0);
            return ReadyProbe.Wait(peer, peer.AdminPort, started, Limit);
        }).Text("0.0");
    }

    private string Pod()
    {
        var (discovery, control) = (Peer.FreePort(), Peer.FreePort());
        using var replay = Command.Start("node",
            [Path.Combine(workshop.Repository, "tests/Istiod/replay.mjs"), "--dir", Path.Combine(workshop.Repository, Workload),
                "--port", $"{discovery}", "--control", $"{control}"],
            Path.Combine(workshop.Folder("ready/pod"), "replay.log"));
        Peer.WaitUntilListening(replay, "replay.mjs", discovery, Limit);
        return Repeat(() => PodProbe.Run(workshop, $"127.0.0.1:{discovery}", Limit)).Text("0.0");
    }

    private string Bootstrap(int discovery, int secrets)
    {
        var bootstrap = JsonNode.Parse(File.ReadAllText(Path.Combine(workshop.Repository, AgentBootstrap)))!.AsObject();
        bootstrap["admin"]!["address"]!["socket_address"]!["port_value"] = 0;
        foreach (var cluster in bootstrap["static_resources"]!["clusters"]!.AsArray())
        {
            if ((string?)cluster!["name"] is not ("xds-grpc" or "sds-grpc")) continue;
            var port = (string?)cluster["name"] == "xds-grpc" ? discovery : secrets;
            var endpoint = cluster["load_assignment"]!["endpoints"]![0]!["lb_endpoints"]![0]!["endpoint"]!;
            endpoint["address"] = new JsonObject
            {
                ["socket_address"] = new JsonObject { ["address"] = "127.0.0.1", ["port_value"] = port },
            };
        }
        var text = bootstrap.ToJsonString();
        return text.Replace("\"port_value\":0", "\"port_value\":{{admin}}");
    }

    private Sample Repeat(Func<double> measure)
    {
        var sample = new Sample();
        for (var i = 0; i < (options.Quick ? 3 : 10); i++) sample.Add(measure());
        return sample;
    }

    private static string Try(Func<string> measure)
    {
        try
        {
            return measure();
        }
        catch (BenchException failed)
        {
            return $"not measured: {failed.Message}";
        }
    }
}
