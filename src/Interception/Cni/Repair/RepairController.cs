using System.Net;
using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni.Kubernetes;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Cni.Repair;

/// <summary>
/// Deals with pods that started before the plugin was installed: they have no rules although they should. Rules are set
/// up in their namespace from outside; connections that were made without them are reset by that, and made again
/// through the proxy.
/// </summary>
public sealed class RepairController(RepairSettings settings, Action<string> note)
{
    private readonly HashSet<string> _done = [];

    /// <summary>Looks at the node's pods again and again until cancelled.</summary>
    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Look();
            }
            catch (InterceptionException e)
            {
                note(e.Message);
            }
            stop.WaitHandle.WaitOne(settings.Period);
        }
    }

    /// <summary>Deals with every pod of the node once.</summary>
    /// <returns>Names of the pods that something was done about.</returns>
    /// <exception cref="InterceptionException">The API server cannot be asked.</exception>
    public IReadOnlyList<string> Look()
    {
        using var api = new KubernetesApi(Kubeconfig.Read(settings.Kubeconfig));
        var treated = new List<string>();
        var pods = api.PodsOfNode(settings.NodeName);
        // Pods that are gone are forgotten.
        _done.IntersectWith(pods.Select(Uid));
        foreach (var pod in pods.Where(p => !_done.Contains(Uid(p))))
        {
            try
            {
                if (!Treat(api, pod))
                    continue;
                _done.Add(Uid(pod));
                treated.Add(Name(pod));
            }
            catch (InterceptionException e)
            {
                note($"Pod {Name(pod)} cannot be repaired: {e.Message}");
            }
        }
        return treated;
    }

    private bool Treat(KubernetesApi api, JsonObject pod)
    {
        var metadata = Json.Object(pod, "metadata");
        var (space, name) = (Json.String(metadata, "namespace") ?? "", Json.String(metadata, "name") ?? "");
        switch (settings.Mode)
        {
            case RepairMode.Repair:
                return SetUp(pod);
            case RepairMode.Delete when BrokenPods.IsBroken(pod):
                api.DeletePod(space, name, Uid(pod), Json.String(metadata, "resourceVersion") ?? "");
                note($"Pod {space}/{name} started without interception and is deleted.");
                return true;
            case RepairMode.Label when BrokenPods.IsBroken(pod)
                && Json.Object(metadata, "labels")?.ContainsKey(settings.Label) != true:
                api.LabelPod(space, name, settings.Label, "true");
                note($"Pod {space}/{name} started without interception and is labelled {settings.Label}.");
                return true;
            default:
                return false;
        }
    }

    // The rules themselves are looked at, not only the validating container: it may not have run yet.
    private bool SetUp(JsonObject pod)
    {
        var status = Json.Object(pod, "status");
        if (Json.String(status, "phase") is not ("Pending" or "Running")
            || !IPAddress.TryParse(Json.String(status, "podIP"), out var address))
            return false;
        var decision = PodInspector.Inspect(pod);
        if (decision.SkipReason is not null
            || new NamespaceFinder(settings.NamespaceDirectory).Find(address) is not { } path)
            return false;
        var flags = new Dictionary<string, string>(decision.Flags) { [Flags.CniMode] = "true" };
        if (settings.NativeNftables)
            flags[Flags.NativeNftables] = "true";
        var wanted = new SettingsReader(flags.GetValueOrDefault, decision.Environment.GetValueOrDefault).Read();
        var repaired = NetworkNamespace.Run(path, hostFiles: false, runner =>
        {
            var interceptor = new Interceptor(wanted, PodNetwork.Discover(wanted, note), runner, note);
            if (interceptor.Snapshot().Length > 0)
                return false;
            interceptor.Apply();
            return true;
        });
        if (repaired)
            note($"Pod {Name(pod)} started without interception; its rules are set up now.");
        return repaired;
    }

    private static string Uid(JsonObject pod) => Json.String(Json.Object(pod, "metadata"), "uid") ?? "";

    private static string Name(JsonObject pod)
    {
        var metadata = Json.Object(pod, "metadata");
        return $"{Json.String(metadata, "namespace")}/{Json.String(metadata, "name")}";
    }
}
