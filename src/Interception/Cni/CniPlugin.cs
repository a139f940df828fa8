using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni.Kubernetes;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Iptables;
using MeshProxy.Interception.Rules;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Cni;

/// <summary>
/// The chained CNI plugin (specification 1.1.0): after others have made a pod's interface, ADD sets up interception in
/// the pod's network namespace, so that the pod needs no capability. The result of the plugins before is handed on as
/// it came.
/// </summary>
public sealed class CniPlugin(Func<string, string?> environment, TextReader input, TextWriter output, TextWriter log)
{
    private static readonly string[] Versions = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];
    private const string NewestVersion = "1.1.0";
    private const string FirstWithCheck = "0.4.0";
    private const string FirstWithGc = "1.1.0";

    // Istio's plugin asks for a pod as often; then the pod must not start, or it would start outside the mesh.
    private const int Tries = 30;

    /// <summary>Time between two tries to get a pod from the API server.</summary>
    public TimeSpan TryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <returns>The process's exit status: 0, or 1 with an error object on the output.</returns>
    public int Run()
    {
        var version = NewestVersion;
        try
        {
            var request = CniRequest.Read(environment, input);
            version = request.Version;
            Execute(request);
            return 0;
        }
        catch (CniException e)
        {
            return Fail(version, e.Code, e.Message, e.Details);
        }
        catch (InterceptionException e)
        {
            return Fail(version, CniException.Interception, e.Message, "");
        }
    }

    private void Execute(CniRequest request)
    {
        if (request.Command == "VERSION")
        {
            PrintVersions(request);
            return;
        }
        if (!Versions.Contains(request.Version))
            throw new CniException(
                CniException.IncompatibleVersion,
                $"CNI version {request.Version} is not supported: use one of {string.Join(", ", Versions)}.");
        var configuration = PluginConfiguration.Read(request.Input);
        switch (request.Command)
        {
            case "ADD":
                Add(request, configuration);
                break;
            case "DEL":
                Delete(request, configuration);
                break;
            case "CHECK":
                Since(FirstWithCheck, request);
                Check(request, configuration);
                break;
            case "STATUS":
                Since(FirstWithGc, request);
                Status(configuration);
                break;
            case "GC":
                Since(FirstWithGc, request);
                Collect(request, configuration);
                break;
        }
    }

    private void Add(CniRequest request, PluginConfiguration configuration)
    {
        var decision = Decide(request, configuration);
        if (decision.SkipReason is { } reason)
            Note($"{request.ContainerId} is not intercepted: {reason}.");
        else
            Intercept(request, configuration, decision);
        PrintResult(request);
    }

    private void Intercept(CniRequest request, PluginConfiguration configuration, PodDecision decision)
    {
        var flags = new Dictionary<string, string>(decision.Flags)
        {
            [Flags.CniMode] = "true",
            // What an earlier, interrupted ADD may have left in this namespace is replaced.
            [Flags.Reconcile] = "true",
        };
        if (configuration.NativeNftables)
            flags[Flags.NativeNftables] = "true";
        if (configuration.ForcedIptables.Length > 0)
            flags[Flags.ForceIptables] = configuration.ForcedIptables;
        var entry = new AttachmentState.Entry(flags, decision.Environment, "");
        var settings = entry.Settings();
        var rules = NetworkNamespace.Run(request.Namespace, hostFiles: true, runner =>
        {
            var interceptor = new Interceptor(settings, PodNetwork.Discover(settings, Note), runner, Note);
            interceptor.Apply();
            return interceptor.Snapshot();
        });
        var state = new AttachmentState(configuration.StateDirectory);
        state.Save(request.ContainerId, request.Interface, entry with { Rules = rules });
        Note($"{request.ContainerId} is intercepted.");
    }

    // Has to succeed when the namespace or our state is gone, and when called again.
    private void Delete(CniRequest request, PluginConfiguration configuration)
    {
        var state = new AttachmentState(configuration.StateDirectory);
        if (state.Load(request.ContainerId, request.Interface) is { } entry && File.Exists(request.Namespace))
        {
            try
            {
                WithInterceptor(request.Namespace, entry.Settings(), interceptor =>
                {
                    interceptor.Remove();
                    return true;
                });
            }
            catch (InterceptionException e)
            {
                Note($"Rules of {request.ContainerId} end with its namespace: {e.Message}");
            }
        }
        if (Directory.Exists(configuration.StateDirectory))
            state.Remove(request.ContainerId, request.Interface);
    }

    private void Check(CniRequest request, PluginConfiguration configuration)
    {
        var state = new AttachmentState(configuration.StateDirectory);
        if (state.Load(request.ContainerId, request.Interface) is not { } entry)
            return;
        var rules = WithInterceptor(request.Namespace, entry.Settings(), interceptor => interceptor.Snapshot());
        if (rules != entry.Rules)
            throw new CniException(
                CniException.RulesChanged,
                $"The interception rules in {request.Namespace} are not those that were set up: start the pod again.",
                $"set up:\n{entry.Rules}in force:\n{rules}");
    }

    private static void Status(PluginConfiguration configuration)
    {
        try
        {
            if (configuration.Kubeconfig.Length > 0)
                Kubeconfig.Read(configuration.Kubeconfig);
            var runner = new CommandRunner();
            if (!configuration.NativeNftables)
                IptablesDetector.Detect(runner, Families.IPv4, configuration.ForcedIptables);
            else if (runner.Run("nft", ["list", "tables"]) is { Succeeded: false } nft)
                throw new InterceptionException($"nft cannot be used: {nft.Complaint}.");
        }
        catch (InterceptionException e)
        {
            throw new CniException(CniException.NotAvailable, e.Message);
        }
    }

    private static void Collect(CniRequest request, PluginConfiguration configuration)
    {
        if (Json.Array(request.Input, "cni.dev/valid-attachments") is not { } valid)
            throw new CniException(CniException.BadConfiguration, "GC needs the list cni.dev/valid-attachments.");
        new AttachmentState(configuration.StateDirectory).Keep(
            valid.Select(v => (Json.String(v, "containerID") ?? "", Json.String(v, "ifname") ?? "")));
    }

    private PodDecision Decide(CniRequest request, PluginConfiguration configuration)
    {
        if (configuration.Kubeconfig.Length == 0)
            return new PodDecision(null, CommandLineFlags(configuration.Arguments), new Dictionary<string, string>());
        var arguments = request.ParseArguments();
        var space = arguments.GetValueOrDefault("K8S_POD_NAMESPACE", "");
        var name = arguments.GetValueOrDefault("K8S_POD_NAME", "");
        if (space.Length == 0 || name.Length == 0)
            return PodDecision.Skip("it is no pod of Kubernetes");
        // Before the API is asked: its pods have to start when nothing else works.
        if (space == configuration.AgentNamespace
            && name.StartsWith(configuration.AgentPodPrefix, StringComparison.Ordinal))
            return PodDecision.Skip("it belongs to the plugin's installer");
        return configuration.ExcludedNamespaces.Contains(space)
            ? PodDecision.Skip($"namespace {space} is excluded")
            : PodInspector.Inspect(GetPod(configuration, space, name));
    }

    private JsonObject GetPod(PluginConfiguration configuration, string space, string name)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // Read every time: the installer renews the token.
                using var api = new KubernetesApi(Kubeconfig.Read(configuration.Kubeconfig));
                return api.GetPod(space, name);
            }
            catch (InterceptionException e) when (attempt < Tries)
            {
                Note(e.Message);
                Thread.Sleep(TryInterval);
            }
            catch (InterceptionException e)
            {
                throw new CniException(
                    CniException.TryAgain,
                    $"Pod {space}/{name} cannot start before it is known whether it is intercepted: {e.Message}");
            }
        }
    }

    private static Dictionary<string, string> CommandLineFlags(IReadOnlyList<string> words)
    {
        var flags = new Dictionary<string, string>();
        for (var i = 0; i < words.Count; i++)
        {
            var flag = Flags.All.FirstOrDefault(f => f.IsCalled(words[i]))
                ?? throw new CniException(
                    CniException.BadConfiguration,
                    $"\"arguments\" has \"{words[i]}\", which is no flag of `meshproxy init`.");
            if (!flag.Boolean && i + 1 == words.Count)
                throw new CniException(
                    CniException.BadConfiguration, $"\"arguments\" has no value for \"{words[i]}\".");
            flags[flag.Name] = flag.Boolean ? "true" : words[++i];
        }
        return flags;
    }

    private T WithInterceptor<T>(string path, InterceptionSettings settings, Func<Interceptor, T> work) =>
        NetworkNamespace.Run(path, hostFiles: true, runner =>
            work(new Interceptor(settings, PodNetwork.Discover(settings, _ => { }), runner, Note)));

    private static void Since(string version, CniRequest request)
    {
        if (Array.IndexOf(Versions, request.Version) < Array.IndexOf(Versions, version))
            throw new CniException(
                CniException.IncompatibleVersion,
                $"{request.Command} came with CNI {version}, and the configuration is of {request.Version}.");
    }

    // Unknown fields of the result are others' business and are kept.
    private void PrintResult(CniRequest request)
    {
        var result = Json.Object(request.Input, "prevResult")?.DeepClone() as JsonObject ?? [];
        result["cniVersion"] = request.Version;
        output.Write(Json.Text(result));
    }

    private void PrintVersions(CniRequest request) => output.Write(Json.Text(new JsonObject
    {
        ["cniVersion"] = Json.String(request.Input, "cniVersion") ?? NewestVersion,
        ["supportedVersions"] = new JsonArray([.. Versions.Select(v => (JsonNode)v)]),
    }));

    private int Fail(string version, int code, string message, string details)
    {
        Note(message);
        var error = new JsonObject { ["cniVersion"] = version, ["code"] = code, ["msg"] = message };
        if (details.Length > 0)
            error["details"] = details;
        output.Write(Json.Text(error));
        return 1;
    }

    private void Note(string sentence) => log.WriteLine($"{PluginConfiguration.PluginType}: {sentence}");
}
