using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>The `sidecar` template: rules or their validation, and the proxy beside the application.</summary>
internal sealed class SidecarTemplate : ITemplate
{
    public JsonObject Render(TemplateInput input, SidecarDecision decision)
    {
        var volumes = ProxyVolumes.Of(input, sidecar: true, configuration: "istio-envoy");
        var proxy = Proxy(input, decision, volumes);
        var init = new JsonArray();
        if (decision.Capture.Captures)
            init.Add((JsonNode)Rules(decision));
        if (decision.Native)
            init.Add((JsonNode)proxy);
        var spec = new JsonObject { ["initContainers"] = init, ["volumes"] = volumes.Volumes() };
        if (!decision.Native)
            spec["containers"] = new JsonArray(proxy);
        if (decision.ImagePullSecrets.Length > 0)
            spec["imagePullSecrets"] = ProxyContainer.PullSecrets(decision);
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = Labels(input, decision),
                ["annotations"] = Annotations(input, decision),
            },
            ["spec"] = spec,
        };
    }

    private static JsonObject Labels(TemplateInput input, SidecarDecision decision)
    {
        var labels = ProxyContainer.CanonicalLabels(decision);
        labels[MeshNames.TlsModeLabel] = input.Pod.Label(MeshNames.TlsModeLabel) ?? "istio";
        if (decision.Metadata.GetValueOrDefault("ISTIO_META_ENABLE_HBONE") == "true")
            labels[MeshNames.TunnelLabel] = input.Pod.Label(MeshNames.TunnelLabel) ?? "http";
        return labels;
    }

    private static JsonObject Annotations(TemplateInput input, SidecarDecision decision)
    {
        var annotations = new JsonObject { [MeshNames.Revision] = decision.Revision };
        if (!decision.Applications.IsEmpty)
        {
            annotations[MeshNames.DefaultContainer] = input.Annotation(MeshNames.DefaultContainer, decision.Applications[0]);
            annotations[MeshNames.DefaultLogsContainer] =
                input.Annotation(MeshNames.DefaultLogsContainer, decision.Applications[0]);
        }
        if (!decision.Cni)
            return annotations;
        if (input.Values.CniProvider == "multus")
            annotations[MeshNames.MultusNetworks] = MultusNetworks.With(input.Pod.Annotation(MeshNames.MultusNetworks));
        foreach (var (name, value) in decision.Capture.Announcements())
            annotations[name] = value;
        return annotations;
    }

    private static JsonObject Rules(SidecarDecision decision)
    {
        var container = new JsonObject
        {
            ["name"] = decision.Cni ? MeshNames.ValidationContainer : MeshNames.InitContainer,
            ["image"] = decision.InitImage,
            ["args"] = decision.Capture.Arguments(decision),
            ["resources"] = decision.Resources.DeepClone(),
            ["securityContext"] = SecurityContexts.Rules(decision),
        };
        ProxyContainer.SetPullPolicy(container, decision);
        ProxyEnvironment.AddMetadata(container, decision.Metadata);
        return container;
    }

    private static JsonObject Proxy(TemplateInput input, SidecarDecision decision, ProxyVolumes volumes)
    {
        var environment = ProxyEnvironment.Of(input, limits: true, intercepts: true);
        if (input.Mesh.InboundLocalhost)
            environment.Add((JsonNode)Variables.Of("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true"));
        var container = new JsonObject
        {
            ["name"] = MeshNames.ProxyContainer,
            ["image"] = decision.Image,
            ["args"] = ProxyContainer.Arguments(decision, "sidecar"),
            ["ports"] = ProxyContainer.MetricsPorts(),
            ["env"] = environment,
            ["resources"] = decision.Resources.DeepClone(),
            ["securityContext"] = SecurityContexts.Proxy(decision),
            ["volumeMounts"] = volumes.Mounts(),
        };
        ProxyContainer.SetPullPolicy(container, decision);
        ProxyEnvironment.AddMetadata(container, decision.Metadata);
        if (decision.Native)
            container["restartPolicy"] = "Always";
        if (decision.HasStatusPort)
        {
            container["readinessProbe"] = ProxyContainer.ReadinessProbe(decision, ProxyContainer.HealthPort);
            if (decision.StartupFailureThreshold is { } failures)
                container["startupProbe"] = ProxyContainer.StartupProbe(failures);
        }
        if (Lifecycle(decision) is { Count: > 0 } lifecycle)
            container["lifecycle"] = lifecycle;
        return container;
    }

    private static JsonObject Lifecycle(SidecarDecision decision)
    {
        if (decision.Lifecycle.Count > 0)
            return decision.Lifecycle.DeepClone().AsObject();
        // A native sidecar needs no hook to hold the rest: its startup probe does.
        if (!decision.Native)
            return decision.HoldApplication ? ProxyContainer.Hook("postStart", "wait") : [];
        // Without a status port there is nobody to ask for the drain, and the hook would fail each time.
        return decision.HasStatusPort
            ? ProxyContainer.Hook("preStop", "request", $"--debug-port={decision.StatusPort}", "POST", "drain")
            : [];
    }
}
