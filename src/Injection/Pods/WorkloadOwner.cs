using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>The workload a pod belongs to, as a person named it: the Deployment rather than its ReplicaSet.</summary>
internal sealed partial record WorkloadOwner(string ApiVersion, string Kind, string Name, string Namespace)
{
    /// <summary>The value of ISTIO_META_OWNER.</summary>
    public string Uri => $"kubernetes://apis/{ApiVersion}/namespaces/{NamespaceOrDefault}/{Kind.ToLowerInvariant()}s/{Name}";

    private string NamespaceOrDefault => Namespace.Length > 0 ? Namespace : "default";

    /// <summary>Found from a pod's own metadata; <paramref name="space"/> is where the pod is made.</summary>
    public static WorkloadOwner OfPod(JsonObject metadata, string space)
    {
        var itself = new WorkloadOwner("v1", "Pod", metadata.Text("name") ?? "", space);
        var prefix = metadata.Text("generateName");
        if (string.IsNullOrEmpty(prefix))
            return itself;
        var controller = metadata.Members("ownerReferences").FirstOrDefault(owner => owner.Flag("controller"));
        if (controller is null)
            return itself with { Name = itself.Name.Length > 0 ? itself.Name : prefix.TrimEnd('-') };
        return Above(controller, metadata, space);
    }

    private static WorkloadOwner Above(JsonObject controller, JsonObject metadata, string space)
    {
        var owner = new WorkloadOwner(
            controller.Text("apiVersion") ?? "", controller.Text("kind") ?? "", controller.Text("name") ?? "", space);
        var labels = metadata.Object("labels");
        switch (owner.Kind)
        {
            case "ReplicaSet" when WithoutSuffix(owner.Name, labels.Text("rollouts-pod-template-hash")) is { } rollout:
                return new WorkloadOwner("argoproj.io/v1alpha1", "Rollout", rollout, space);
            case "ReplicaSet" when WithoutSuffix(owner.Name, labels.Text("pod-template-hash")) is { } deployment:
                return owner with { Kind = "Deployment", Name = deployment };
            case "ReplicationController" when labels.Text("deploymentconfig") is { Length: > 0 } configuration:
                return new WorkloadOwner("apps.openshift.io/v1", "DeploymentConfig", configuration, space);
            case "Job" when CronJobName().Match(owner.Name) is { Success: true } match:
                return new WorkloadOwner("batch/v1", "CronJob", match.Groups[1].Value, space);
            default:
                return owner;
        }
    }

    private static string? WithoutSuffix(string name, string? hash) =>
        !string.IsNullOrEmpty(hash) && name.EndsWith("-" + hash, StringComparison.Ordinal)
            ? name[..^(hash.Length + 1)]
            : null;

    // The CronJob controller appends the scheduled minute since the epoch.
    [GeneratedRegex(@"^(.+)-\d{8,10}$")]
    private static partial Regex CronJobName();
}
