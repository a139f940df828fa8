using System.Globalization;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>
/// The `grpc-agent` template: applications that speak xDS themselves get the agent, which has certificates and the
/// bootstrap for them, and no proxy.
/// </summary>
internal sealed class GrpcAgentTemplate : ITemplate
{
    private const string Configuration = "istio-xds";

    public JsonObject Render(TemplateInput input, SidecarDecision decision)
    {
        var volumes = ProxyVolumes.Of(input, sidecar: false, Configuration);
        var containers = new JsonArray(Agent(input, decision, volumes));
        foreach (var application in decision.Applications)
            containers.Add((JsonNode)Application(application));
        var spec = new JsonObject { ["containers"] = containers, ["volumes"] = volumes.Volumes() };
        if (decision.ImagePullSecrets.Length > 0)
            spec["imagePullSecrets"] = ProxyContainer.PullSecrets(decision);
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["labels"] = ProxyContainer.CanonicalLabels(decision),
                ["annotations"] = Annotations(input, decision),
            },
            ["spec"] = spec,
        };
    }

    private static JsonObject Annotations(TemplateInput input, SidecarDecision decision)
    {
        var annotations = new JsonObject
        {
            [MeshNames.Revision] = decision.Revision,
            [MeshNames.RewriteProbes] = "false",
        };
        if (decision.Applications.IsEmpty)
            return annotations;
        annotations[MeshNames.DefaultContainer] = input.Annotation(MeshNames.DefaultContainer, decision.Applications[0]);
        annotations[MeshNames.DefaultLogsContainer] =
            input.Annotation(MeshNames.DefaultLogsContainer, decision.Applications[0]);
        return annotations;
    }

    private static JsonObject Agent(TemplateInput input, SidecarDecision decision, ProxyVolumes volumes)
    {
        var port = int.Parse(decision.HasStatusPort ? decision.StatusPort : "15020", CultureInfo.InvariantCulture);
        var environment = ProxyEnvironment.Of(input, limits: false, intercepts: false);
        environment.Insert(0, Variables.Of("ISTIO_META_GENERATOR", "grpc"));
        environment.Insert(1, Variables.Of("OUTPUT_CERTS", "/var/lib/istio/data"));
        var container = new JsonObject
        {
            ["name"] = MeshNames.ProxyContainer,
            ["image"] = decision.Image,
            ["args"] = ProxyContainer.Arguments(decision, "sidecar"),
            ["ports"] = new JsonArray(ProxyContainer.Port("mesh-metrics", port)),
            ["env"] = environment,
            ["resources"] = decision.Resources.DeepClone(),
            ["volumeMounts"] = volumes.Mounts(),
            ["readinessProbe"] = ProxyContainer.ReadinessProbe(decision, port),
            ["lifecycle"] = ProxyContainer.Hook("postStart", "wait", $"--url=http://localhost:{port}/healthz/ready"),
        };
        ProxyContainer.SetPullPolicy(container, decision);
        ProxyEnvironment.AddMetadata(container, decision.Metadata);
        // gRPC has its own resolver and there is no proxy to start, whatever the mesh says.
        Variables.Set(container, "ISTIO_META_DNS_CAPTURE", "false");
        Variables.Set(container, "DISABLE_ENVOY", "true");
        return container;
    }

    private static JsonObject Application(string name) => new()
    {
        ["name"] = name,
        ["env"] = new JsonArray(
            Variables.Of("GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT", "true"),
            Variables.Of("GRPC_XDS_BOOTSTRAP", "/etc/istio/proxy/grpc-bootstrap.json")),
        ["volumeMounts"] = new JsonArray(
            Mount("istio-data", "/var/lib/istio/data"),
            Mount(Configuration, "/etc/istio/proxy"),
            Mount("workload-certs", "/var/run/secrets/workload-spiffe-credentials")),
    };

    private static JsonObject Mount(string name, string path) => new() { ["name"] = name, ["mountPath"] = path };
}
