using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>Whether a pod gets a proxy. The webhook's selectors decide before; this is what is left to decide.</summary>
internal static class InjectionDecision
{
    internal enum Outcome
    {
        Inject,
        HostNetwork,
        Windows,
        SystemNamespace,
        Disabled,
    }

    // Pods of the cluster itself must start when the mesh is down.
    private static readonly string[] SystemNamespaces = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

    public static Outcome Decide(PodDocument pod, string space, InjectionValues values, Action<string> warn)
    {
        if (pod.Spec.Flag("hostNetwork"))
            return Outcome.HostNetwork;
        if (SystemNamespaces.Contains(space))
            return Outcome.SystemNamespace;
        if (pod.Spec.Object("os").Text("name") == "windows"
            || pod.Spec.Object("nodeSelector").Text("kubernetes.io/os") == "windows")
            return Outcome.Windows;
        var policy = values.Proxy.AutoInject;
        if (policy is not ("enabled" or "disabled"))
        {
            warn($"global.proxy.autoInject is \"{policy}\", which is neither enabled nor disabled: nothing is injected");
            return Outcome.Disabled;
        }
        var inject = AskedFor(pod, warn) ?? Selected(pod, values.Webhook, warn) ?? policy == "enabled";
        return inject ? Outcome.Inject : Outcome.Disabled;
    }

    private static bool? AskedFor(PodDocument pod, Action<string> warn)
    {
        var asked = pod.Label(MeshNames.Inject) ?? pod.Annotation(MeshNames.Inject);
        if (asked is "true" or "false")
            return asked == "true";
        if (asked is not null)
            warn($"{MeshNames.Inject} is \"{asked}\", which is neither true nor false, and is ignored");
        return null;
    }

    private static bool? Selected(PodDocument pod, WebhookValues webhook, Action<string> warn)
    {
        var labels = pod.Metadata.TextMap("labels");
        if (Any(webhook.NeverInject, "neverInjectSelector"))
            return false;
        return Any(webhook.AlwaysInject, "alwaysInjectSelector") ? true : null;

        bool Any(IEnumerable<LabelSelector> selectors, string name)
        {
            foreach (var selector in selectors)
            {
                if (selector.Invalid is { } reason)
                    warn($"a member of {name} is ignored: {reason}");
                else if (selector.Matches(labels))
                    return true;
            }
            return false;
        }
    }
}
