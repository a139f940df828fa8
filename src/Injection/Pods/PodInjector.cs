using System.Text.Json.Nodes;
using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Templates;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// The injection itself, the same for the webhook and for files: earlier injection out, template rendered and merged,
/// the user's overrides on top, then what depends on the whole pod (probes, metrics, order, status).
/// </summary>
internal static class PodInjector
{
    /// <returns>The pod with its proxy.</returns>
    /// <exception cref="ManifestException">An annotation or a configuration is refused.</exception>
    public static JsonObject Inject(InjectionRequest request)
    {
        var original = new PodDocument(request.Pod.DeepClone().AsObject());
        AnnotationRules.Check(original);
        WarnOfDnsPolicy(original, request.Warn);
        var previous = PreviousInjection.Remove(original, request.Mesh.DefaultConfig.StatusPort);
        DropStampedUser(original, request.Identity);

        var input = Input(request, original);
        WarnOfIgnored(input, request.Warn);
        var decision = SidecarDecision.From(input);
        var pod = original.Clone();
        var template = new PodDocument([]);
        foreach (var part in TemplateSelection.Of(original, request.Values.Webhook))
        {
            var overlay = part.Render(input, decision);
            StrategicMerge.Apply(template.Root, overlay);
            FollowTemplate(pod, template);
            StrategicMerge.Apply(pod.Root, overlay);
        }
        UserOverrides.Reapply(pod, Followed(original, template), template, previous.Injected);
        Finish(pod, template, previous, request, input, decision);
        return pod.Root;
    }

    private static TemplateInput Input(InjectionRequest request, PodDocument pod) => new()
    {
        Pod = pod,
        Owner = request.Owner,
        Values = request.Values,
        Mesh = request.Mesh,
        ProxyConfig = pod.Annotation(MeshNames.ProxyConfig) is { } yaml
            ? request.Mesh.DefaultConfig.With(yaml, $"annotation {MeshNames.ProxyConfig}")
            : request.Mesh.DefaultConfig,
        Revision = request.Revision.Length > 0 ? request.Revision : "default",
        NativeSidecar = GoBoolean.Parse(pod.Annotation(MeshNames.NativeSidecar)) ?? request.NativeSidecars,
        Cluster = request.Environment.GetValueOrDefault(MeshNames.ClusterVariable, request.Values.ClusterName),
        // What the pod says of itself is nearest to the truth, then what the cluster's webhook says of its pods.
        Network = pod.Label(MeshNames.NetworkLabel)
            ?? request.Environment.GetValueOrDefault(MeshNames.NetworkVariable, request.Values.Network),
        Identity = request.Identity,
        CompliancePolicy = request.CompliancePolicy,
    };

    private static void Finish(
        PodDocument pod, PodDocument template, PreviousInjection previous, InjectionRequest request,
        TemplateInput input, SidecarDecision decision)
    {
        SetEnvironment(pod, request, input);
        PrometheusMerge.Apply(pod, previous, request.Mesh, request.Warn);
        var rewrite = GoBoolean.Parse(pod.Annotation(MeshNames.RewriteProbes)) ?? request.Values.Webhook.RewriteProbes;
        if (rewrite)
            ProbeRewriter.Apply(pod, previous, RewritePort(pod, request.Mesh), request.Warn);
        if (input.Network.Length > 0)
            pod.Labels[MeshNames.NetworkLabel] = input.Network;
        pod.Annotations[MeshNames.Status] = InjectionStatus.Of(template, input.Revision);
        PrometheusMerge.AnnounceSecurePort(pod);
        foreach (var (name, value) in request.Values.Webhook.InjectedAnnotations)
            pod.Annotations[name] = value;
        ContainerOrder.Apply(pod, decision.HoldApplication);
        StringifyMetadata(pod);
    }

    private static string RewritePort(PodDocument pod, MeshSettings mesh) => pod.Annotation(MeshNames.StatusPort)
        ?? mesh.DefaultConfig.StatusPort.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void SetEnvironment(PodDocument pod, InjectionRequest request, TemplateInput input)
    {
        if (pod.Proxy() is not { } proxy)
            return;
        foreach (var (name, value) in request.Environment)
            Variables.Set(proxy, name, value);
        if (input.Cluster.Length > 0)
            Variables.Set(proxy, MeshNames.ClusterVariable, input.Cluster);
        if (input.Network.Length > 0)
            Variables.Set(proxy, MeshNames.NetworkVariable, input.Network);
    }

    /// <summary>
    /// A user's version of the proxy's container is written under `containers`, or was recorded there: it moves to the
    /// list in which the template has the proxy.
    /// </summary>
    private static void FollowTemplate(PodDocument pod, PodDocument template)
    {
        var native = template.Spec.Named("initContainers", MeshNames.ProxyContainer) is not null;
        if (!native && template.Spec.Named("containers", MeshNames.ProxyContainer) is null)
            return;
        var (from, to) = native ? ("containers", "initContainers") : ("initContainers", "containers");
        if (pod.Spec.Named(from, MeshNames.ProxyContainer) is not { } users)
            return;
        pod.Spec.List(from)!.Remove(users);
        pod.Spec.RequireList(to).Add((JsonNode)users);
    }

    private static PodDocument Followed(PodDocument original, PodDocument template)
    {
        var moved = original.Clone();
        FollowTemplate(moved, template);
        return moved;
    }

    // OpenShift's admission gives every container the namespace's first user, also a user's version of the proxy. Rules
    // could then not tell the proxy's traffic from the application's.
    private static void DropStampedUser(PodDocument pod, ProxyIdentity identity)
    {
        if (identity == ProxyIdentity.Default || pod.Proxy().Object("securityContext") is not { } security)
            return;
        var user = security.Text("runAsUser");
        var shared = user is not null && pod.Spec.Members("containers").Any(container =>
            container.Text("name") != MeshNames.ProxyContainer
            && container.Object("securityContext").Text("runAsUser") == user);
        if (shared)
            security.Remove("runAsUser");
    }

    private static void WarnOfDnsPolicy(PodDocument pod, Action<string> warn)
    {
        if (pod.Spec.Text("dnsPolicy") is { Length: > 0 } policy && policy != "ClusterFirst")
            warn($"dnsPolicy is {policy}: the proxy may not find its control plane, whose name only the cluster's DNS knows");
    }

    private static void WarnOfIgnored(TemplateInput input, Action<string> warn)
    {
        if (input.Pod.Annotation(MeshNames.ProxyConfig) is not null)
        {
            foreach (var name in input.ProxyConfig.Unknown)
                warn($"{name} in {MeshNames.ProxyConfig} is no field of ProxyConfig and has no effect");
        }
        foreach (var name in new[] { MeshNames.UserVolume, MeshNames.UserVolumeMount, MeshNames.DatadogEnvironment })
        {
            if (input.Pod.Annotation(name) is { } text && JsonText.TryParse(text) is not JsonObject)
                warn($"{name} is no JSON map of names to values and has no effect");
        }
    }

    // Labels and annotations are text; a manifest may have them unquoted, which kubectl refuses.
    private static void StringifyMetadata(PodDocument pod)
    {
        foreach (var map in new[] { pod.Labels, pod.Annotations })
        {
            foreach (var (name, value) in map.ToList())
            {
                if (value is not null && value.GetValueKind() != System.Text.Json.JsonValueKind.String)
                    map[name] = NodeReading.AsText(value);
            }
        }
    }
}
