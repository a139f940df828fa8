using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Templates;

/// <summary>What the injected containers may do. Each is the least that its work needs.</summary>
internal static class SecurityContexts
{
    public static JsonObject Rules(SidecarDecision decision)
    {
        var context = new JsonObject
        {
            ["allowPrivilegeEscalation"] = decision.Privileged,
            ["privileged"] = decision.Privileged,
            ["capabilities"] = decision.Cni ? Capabilities() : Capabilities("NET_ADMIN", "NET_RAW"),
            // Writing rules takes root and a lock file; validating them takes neither.
            ["readOnlyRootFilesystem"] = decision.Cni,
            ["runAsGroup"] = decision.Cni ? decision.Identity.Group : 0,
            ["runAsUser"] = decision.Cni ? decision.Identity.User : 0,
            ["runAsNonRoot"] = decision.Cni,
        };
        SetSeccomp(context, decision);
        return context;
    }

    public static JsonObject Proxy(SidecarDecision decision)
    {
        var privileged = decision.Privileged || decision.TraceRules;
        var context = new JsonObject
        {
            ["allowPrivilegeEscalation"] = privileged,
            ["privileged"] = privileged,
            ["capabilities"] = Capabilities([.. Needed(decision)]),
            ["readOnlyRootFilesystem"] = !decision.WritableRoot,
            // Marked packets of a transparent proxy are told apart by the fixed group, whatever the namespace's range.
            ["runAsGroup"] = decision.Capture.Transparent ? ProxyIdentity.Default.Group : decision.Identity.Group,
            ["runAsUser"] = decision.RunsAsRoot ? 0 : decision.Identity.User,
            ["runAsNonRoot"] = !decision.RunsAsRoot,
        };
        SetSeccomp(context, decision);
        return context;
    }

    private static IEnumerable<string> Needed(SidecarDecision decision)
    {
        // Transparent sockets (IP_TRANSPARENT) and reading the kernel's trace of rules.
        if (decision.Capture.Transparent || decision.TraceRules)
            yield return "NET_ADMIN";
        if (decision.BindLowPorts)
            yield return "NET_BIND_SERVICE";
    }

    private static JsonObject Capabilities(params string[] added)
    {
        var capabilities = new JsonObject { ["drop"] = new JsonArray("ALL") };
        if (added.Length > 0)
            capabilities["add"] = added.ToJsonList();
        return capabilities;
    }

    private static void SetSeccomp(JsonObject context, SidecarDecision decision)
    {
        if (decision.SeccompProfile.Count > 0)
            context["seccompProfile"] = decision.SeccompProfile.DeepClone();
    }
}
