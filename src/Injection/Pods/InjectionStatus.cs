using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>The status annotation: what was injected, so that the next injection and istioctl can tell.</summary>
internal static class InjectionStatus
{
    public static string Of(PodDocument template, string revision)
    {
        var status = new JsonObject();
        foreach (var list in new[] { "initContainers", "containers", "volumes", "imagePullSecrets" })
        {
            var names = new JsonArray([.. template.Spec.Members(list).Select(member => (JsonNode?)member.Text("name"))]);
            status[list] = names.Count > 0 ? names : null;
        }
        status["revision"] = revision;
        return status.Compact();
    }
}
