using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// Where the injected containers stand. A native sidecar comes before the user's init containers, which then have a
/// network through it. A classic one starts after all of them, so the rules that redirect to it are set last.
/// </summary>
internal static class ContainerOrder
{
    public static void Apply(PodDocument pod, bool holdApplication)
    {
        if (pod.Spec.Named("initContainers", MeshNames.ProxyContainer) is not null)
        {
            Arrange(pod, "initContainers",
                first: [MeshNames.InitContainer, MeshNames.ValidationContainer, MeshNames.ProxyContainer, MeshNames.CoreDumpContainer],
                last: []);
            return;
        }
        Arrange(pod, "initContainers",
            first: [MeshNames.ValidationContainer], last: [MeshNames.InitContainer, MeshNames.CoreDumpContainer]);
        // The kubelet starts containers in order and waits for a postStart hook: first in the list holds the rest.
        Arrange(pod, "containers",
            first: holdApplication ? [MeshNames.ProxyContainer] : [], last: holdApplication ? [] : [MeshNames.ProxyContainer]);
    }

    private static void Arrange(PodDocument pod, string list, string[] first, string[] last)
    {
        if (pod.Spec.List(list) is not { } containers)
            return;
        var arranged = containers.OrderBy(container => Rank(container.Text("name"), first, last)).ToList();
        containers.Clear();
        foreach (var container in arranged)
            containers.Add(container);
        if (containers.Count == 0 && list == "initContainers")
            pod.Spec.Remove(list);
    }

    private static int Rank(string? name, string[] first, string[] last)
    {
        if (Array.IndexOf(first, name) is >= 0 and var early)
            return early - first.Length;
        return Array.IndexOf(last, name) is >= 0 and var late ? late + 1 : 0;
    }
}
