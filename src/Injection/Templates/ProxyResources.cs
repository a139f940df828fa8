using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>Requests and limits of proxy and init container: from annotations if there is any, else from the values.</summary>
internal static class ProxyResources
{
    private static readonly (string Annotation, string Part, string Resource)[] Annotations =
    [
        (MeshNames.ProxyCpu, "requests", "cpu"),
        (MeshNames.ProxyMemory, "requests", "memory"),
        (MeshNames.ProxyCpuLimit, "limits", "cpu"),
        (MeshNames.ProxyMemoryLimit, "limits", "memory"),
    ];

    public static JsonObject Of(TemplateInput input)
    {
        var resources = new JsonObject();
        foreach (var (annotation, part, resource) in Annotations)
        {
            if (input.Pod.Annotation(annotation) is { } quantity)
                resources.Require(part)[resource] = quantity;
        }
        return resources.Count > 0 ? resources : input.Values.Proxy.Resources.DeepClone().AsObject();
    }
}
