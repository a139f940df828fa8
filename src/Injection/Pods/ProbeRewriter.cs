using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// The kubelet has no certificate of the mesh: its probes go to the agent, which asks the application in its stead. The
/// originals travel to the agent in an environment variable of the proxy.
/// </summary>
internal static class ProbeRewriter
{
    private static readonly (string Field, string Path)[] Probes =
        [("readinessProbe", "readyz"), ("livenessProbe", "livez"), ("startupProbe", "startupz")];

    private static readonly (string Field, string Path)[] Hooks = [("preStop", "prestopz"), ("postStart", "poststartz")];

    public static void Apply(PodDocument pod, PreviousInjection previous, string statusPort, Action<string> warn)
    {
        // Without a status port nobody would answer the rewritten probe.
        if (pod.Proxy() is not { } proxy
            || !int.TryParse(statusPort, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return;
        var originals = new JsonObject();
        foreach (var container in pod.AllContainers().Where(container => container.Text("name") != MeshNames.ProxyContainer))
            Rewrite(container, port, originals, warn);
        if (JsonText.TryParse(previous.Probers) is JsonObject earlier)
        {
            foreach (var (path, original) in earlier)
                originals[path] = original?.DeepClone();
        }
        if (originals.Count > 0)
            Variables.Set(proxy, MeshNames.ProbersVariable, originals.Compact());
    }

    private static void Rewrite(JsonObject container, int port, JsonObject originals, Action<string> warn)
    {
        var name = container.Text("name");
        foreach (var (field, path) in Probes)
        {
            if (container.Object(field) is { } probe)
                Rewrite(container, probe, $"/app-health/{name}/{path}", port, originals, warn);
        }
        foreach (var (field, path) in Hooks)
        {
            if (container.Object("lifecycle").Object(field) is { } hook)
                Rewrite(container, hook, $"/app-lifecycle/{name}/{path}", port, originals, warn);
        }
    }

    private static void Rewrite(
        JsonObject container, JsonObject probe, string path, int port, JsonObject originals, Action<string> warn)
    {
        var kind = new[] { "httpGet", "tcpSocket", "grpc" }.FirstOrDefault(kind => probe[kind] is JsonObject);
        if (kind is null)
            return;
        var handler = probe.Object(kind)!;
        if (ResolvePort(container, handler) is not { } target)
        {
            warn($"{path[1..]} is not rewritten: its port \"{handler.Text("port")}\" is no port of the container");
            return;
        }
        // A probe of the status port is one that an earlier injection rewrote.
        if (target == port)
            return;
        originals[path] = Original(probe, kind, target);
        var rewritten = kind == "httpGet" ? handler.DeepClone().AsObject() : [];
        rewritten["path"] = path;
        rewritten["port"] = port;
        if (rewritten.Text("scheme") == "HTTPS")
            rewritten["scheme"] = "HTTP";
        probe.Remove(kind);
        probe["httpGet"] = rewritten;
    }

    private static JsonObject Original(JsonObject probe, string kind, int port)
    {
        var handler = probe.Object(kind)!.DeepClone().AsObject();
        handler["port"] = port;
        // The agent's format writes the service of a gRPC probe always.
        if (kind == "grpc" && !handler.ContainsKey("service"))
            handler["service"] = null;
        var original = new JsonObject { [kind] = handler };
        if (probe.Number("timeoutSeconds") is > 0 and var seconds)
            original["timeoutSeconds"] = seconds;
        return original;
    }

    private static int? ResolvePort(JsonObject container, JsonObject handler)
    {
        var port = handler.Text("port");
        if (int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        return container.Members("ports").FirstOrDefault(declared => declared.Text("name") == port)?.Number("containerPort");
    }
}
