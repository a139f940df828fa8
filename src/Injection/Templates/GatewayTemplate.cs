using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>The `gateway` template: the proxy is the pod's application, so nothing is redirected to it.</summary>
internal sealed class GatewayTemplate : ITemplate
{
    public JsonObject Render(TemplateInput input, SidecarDecision decision)
    {
        var volumes = ProxyVolumes.Of(input, sidecar: false, configuration: "istio-envoy");
        var spec = new JsonObject
        {
            ["containers"] = new JsonArray(Proxy(input, decision, volumes)),
            ["volumes"] = volumes.Volumes(),
            ["securityContext"] = PodSecurity(input),
        };
        if (decision.ImagePullSecrets.Length > 0)
            spec["imagePullSecrets"] = ProxyContainer.PullSecrets(decision);
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = ProxyContainer.CanonicalLabels(decision),
                ["annotations"] = new JsonObject { [MeshNames.Revision] = decision.Revision },
            },
            ["spec"] = spec,
        };
    }

    // Ports 80 and 443 without root and without a capability.
    private static JsonObject PodSecurity(TemplateInput input) => input.Values.GatewaySecurityContext.Count > 0
        ? input.Values.GatewaySecurityContext.DeepClone().AsObject()
        : new JsonObject
        {
            ["sysctls"] = new JsonArray(new JsonObject
            {
                ["name"] = "net.ipv4.ip_unprivileged_port_start",
                ["value"] = "0",
            }),
        };

    private static JsonObject Proxy(TemplateInput input, SidecarDecision decision, ProxyVolumes volumes)
    {
        var container = new JsonObject
        {
            ["name"] = MeshNames.ProxyContainer,
            ["image"] = decision.Image,
            ["args"] = ProxyContainer.Arguments(decision, "router"),
            ["ports"] = ProxyContainer.MetricsPorts(),
            ["env"] = ProxyEnvironment.Of(input, limits: true, intercepts: true),
            ["securityContext"] = new JsonObject
            {
                ["runAsUser"] = decision.Identity.User,
                ["runAsGroup"] = decision.Identity.Group,
            },
            ["volumeMounts"] = volumes.Mounts(),
        };
        ProxyContainer.SetPullPolicy(container, decision);
        ProxyEnvironment.AddMetadata(container, decision.Metadata);
        if (decision.HasStatusPort)
            container["readinessProbe"] = ProxyContainer.ReadinessProbe(decision, ProxyContainer.HealthPort);
        if (decision.Lifecycle.Count > 0)
            container["lifecycle"] = decision.Lifecycle.DeepClone();
        return container;
    }
}
