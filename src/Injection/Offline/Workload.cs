using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Offline;

/// <summary>An object that makes pods, and where in it the pod is.</summary>
internal sealed class Workload
{
    private static readonly HashSet<string> Templated = new(StringComparer.Ordinal)
    {
        "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet", "apps/DaemonSet",
        "extensions/Deployment", "extensions/ReplicaSet", "extensions/DaemonSet",
        "batch/Job", "/ReplicationController", "apps.openshift.io/DeploymentConfig",
    };

    private Workload(JsonObject document, JsonObject pod, WorkloadOwner owner)
    {
        Pod = pod;
        Owner = owner;
        var metadata = document.Object("metadata");
        Namespace = metadata.Text("namespace") ?? "";
        var name = metadata.Text("name") ?? metadata.Text("generateName") ?? "";
        Title = $"{document.Text("kind")} \"{(Namespace.Length > 0 ? Namespace + "/" : "")}{name}\"";
    }

    /// <summary>The object with the pod's `metadata` and `spec`, inside the document.</summary>
    public JsonObject Pod { get; }
    public WorkloadOwner Owner { get; }
    public string Namespace { get; }

    /// <summary>How a person knows the object: `Deployment "namespace/name"`.</summary>
    public string Title { get; }

    /// <summary>The workload, or null if the document makes no pods.</summary>
    /// <exception cref="ManifestException">The document is a workload without a pod template.</exception>
    public static Workload? From(JsonObject document)
    {
        var version = document.Text("apiVersion") ?? "";
        var kind = document.Text("kind") ?? "";
        var group = version.LastIndexOf('/') is >= 0 and var slash ? version[..slash] : "";
        var metadata = document.Object("metadata") ?? [];
        var space = metadata.Text("namespace") ?? "";
        var itself = new WorkloadOwner(version, kind, metadata.Text("name") ?? "", space);
        switch ($"{group}/{kind}")
        {
            case "/Pod" when version == "v1":
                return new Workload(document, document, WorkloadOwner.OfPod(metadata, space));
            case "batch/CronJob":
                return new Workload(document, Template(document.Object("spec").Object("jobTemplate"), itself), itself);
            case var known when Templated.Contains(known):
                return new Workload(document, Template(document, itself), itself);
            default:
                return null;
        }
    }

    private static JsonObject Template(JsonObject? holder, WorkloadOwner owner)
    {
        var template = holder.Object("spec").Object("template");
        if (template.Object("spec") is null)
            throw new ManifestException(
                $"{owner.Kind} \"{owner.Name}\" has no pod template (spec.template.spec), which is required; add it");
        return template!;
    }
}
