using System.Text.Json.Nodes;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>An injected pod as the API server gives it, to be changed by a test.</summary>
internal static class PodJson
{
    public static JsonObject Injected(string name = "web") => (JsonObject)JsonNode.Parse($$"""
        {
          "metadata": {
            "namespace": "shop", "name": "{{name}}", "uid": "uid-{{name}}", "resourceVersion": "7", "labels": {},
            "annotations": { "sidecar.istio.io/status": "{}" }
          },
          "spec": {
            "initContainers": [{ "name": "istio-validation" }],
            "containers": [
              { "name": "app" },
              { "name": "istio-proxy", "args": ["proxy", "sidecar"], "securityContext": { "runAsUser": 1337, "runAsGroup": 1337 }, "env": [] }
            ]
          },
          "status": { "phase": "Running" }
        }
        """)!;

    public static JsonObject Annotate(this JsonObject pod, string name, string value)
    {
        pod["metadata"]!["annotations"]![name] = value;
        return pod;
    }

    public static JsonObject Environment(this JsonObject pod, string name, string value)
    {
        pod["spec"]!["containers"]![1]!["env"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = name, ["value"] = value });
        return pod;
    }

    public static JsonObject Change(this JsonObject pod, Action<JsonObject> change)
    {
        change(pod);
        return pod;
    }
}
