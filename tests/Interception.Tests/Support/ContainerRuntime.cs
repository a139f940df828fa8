using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Host;
using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>
/// What a container runtime does with a list of plugins: calls them in order and hands each the result of the one
/// before, backwards on DEL. The reference plugins run as the programs they are, in a namespace that stands for the
/// node; ours runs in this process.
/// </summary>
internal sealed class ContainerRuntime(TestNamespace node, string pod, JsonObject list) : IDisposable
{
    public const string Plugins = "/usr/lib/cni";

    private readonly string _directory = Directory.CreateTempSubdirectory("cni-").FullName;

    public string Container { get; } = $"c{Guid.NewGuid():N}";

    public string StateDirectory => Path.Combine(_directory, "state");

    public string PodName { get; init; } = "web";

    public JsonObject? Result { get; private set; }

    /// <summary>Results in the order of the plugins, as each gave them.</summary>
    public List<JsonObject> Results { get; } = [];

    public (int Exit, JsonObject? Output) Add()
    {
        Result = null;
        foreach (var plugin in PluginsOf(list))
        {
            var (exit, output) = Call("ADD", plugin);
            if (exit != 0)
                return (exit, output);
            Results.Add(output!);
            Result = output;
        }
        return (0, Result);
    }

    public List<(int Exit, JsonObject? Output)> All(string command) =>
        [.. (command == "DEL" ? PluginsOf(list).Reverse() : PluginsOf(list)).Select(plugin => Call(command, plugin))];

    public (int Exit, JsonObject? Output) Own(string command, Action<JsonObject>? change = null)
    {
        var own = (JsonObject)PluginsOf(list).First(IsOwn).DeepClone();
        change?.Invoke(own);
        return Call(command, own);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static IEnumerable<JsonObject> PluginsOf(JsonObject list) =>
        list["plugins"]!.AsArray().OfType<JsonObject>();

    private static bool IsOwn(JsonObject plugin) => (string?)plugin["type"] == PluginConfiguration.PluginType;

    private (int Exit, JsonObject? Output) Call(string command, JsonObject plugin)
    {
        var input = (JsonObject)plugin.DeepClone();
        input["cniVersion"] = (string)list["cniVersion"]!;
        input["name"] = (string)list["name"]!;
        if (Result is not null)
            input["prevResult"] = Result.DeepClone();
        if (input["ipam"] is JsonObject ipam)
            ipam["dataDir"] = Path.Combine(_directory, "ipam");
        if (input["meshproxy"] is JsonObject own)
            own["stateDirectory"] = StateDirectory;
        var variables = new Dictionary<string, string>
        {
            ["CNI_COMMAND"] = command,
            ["CNI_CONTAINERID"] = Container,
            ["CNI_NETNS"] = pod,
            ["CNI_IFNAME"] = "eth0",
            ["CNI_PATH"] = Plugins,
            ["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME={PodName};K8S_POD_UID=1",
        };
        if (!IsOwn(input))
            return Program((string)input["type"]!, variables, input.ToJsonString());
        using var output = new StringWriter();
        using var log = new StringWriter();
        var exit = new CniPlugin(variables.GetValueOrDefault, new StringReader(input.ToJsonString()), output, log)
        {
            TryInterval = TimeSpan.Zero,
        }.Run();
        return (exit, Json.TryParse(output.ToString()));
    }

    private (int Exit, JsonObject? Output) Program(string type, Dictionary<string, string> variables, string input)
    {
        var result = new CommandRunner(variables).Run("ip", ["netns", "exec", node.Name, $"{Plugins}/{type}"], input);
        Assert.False(result.Missing);
        return (result.Exit, Json.TryParse(result.Output));
    }
}
