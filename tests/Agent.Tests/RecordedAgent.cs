using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using MeshProxy.Agent.Configuration;

namespace MeshProxy.Agent.Tests;

/// <summary>What pilot-agent made of one pod: tests/Istiod/agent.</summary>
internal sealed class RecordedAgent
{
    private readonly string _folder;

    public RecordedAgent(string name)
    {
        _folder = Path.Combine(Recordings, name);
        Bootstrap = JsonNode.Parse(Read("bootstrap.json"))!.AsObject();
        Arguments = Lines("argv.txt");
        AgentArguments = Lines("agent-argv.txt");
        Environment = Lines("agent-env.txt")
            .Select(line => line.Split('=', 2)).ToDictionary(v => v[0], v => v[1], StringComparer.Ordinal);
    }

    public static IEnumerable<string> Names =>
        Directory.EnumerateDirectories(Recordings).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    public JsonObject Bootstrap { get; }

    /// <summary>Envoy's command line.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>pilot-agent's command line.</summary>
    public IReadOnlyList<string> AgentArguments { get; }

    public Dictionary<string, string> Environment { get; }

    public AgentOptions Options => new()
    {
        Role = AgentArguments[2],
        Domain = After("--domain"),
        ProxyLogLevel = After("--proxyLogLevel"),
        ProxyComponentLogLevel = After("--proxyComponentLogLevel"),
        OutlierLogPath = After("--outlierLogPath"),
    };

    /// <summary>Makes the pod that it was recorded in.</summary>
    public PodFolder MakePod()
    {
        var pod = new PodFolder();
        var metadata = Bootstrap["node"]!["metadata"]!;
        pod.WritePodInfo("labels", metadata["LABELS"] as JsonObject);
        pod.WritePodInfo("annotations", metadata["ANNOTATIONS"] as JsonObject);
        return pod;
    }

    private static string Recordings { get; } =
        Path.GetFullPath(Path.Combine(ThisDirectory(), "..", "Istiod", "agent"));

    private static string ThisDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private string Read(string file) => File.ReadAllText(Path.Combine(_folder, file));

    private string[] Lines(string file) => Read(file).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string After(string flag)
    {
        for (var i = 0; i < AgentArguments.Count; i++)
        {
            if (AgentArguments[i] == flag)
                return AgentArguments[i + 1];
            if (AgentArguments[i].StartsWith(flag + "=", StringComparison.Ordinal))
                return AgentArguments[i][(flag.Length + 1)..];
        }
        return "";
    }
}
