using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>The environment that pilot-agent, and so `meshproxy proxy`, takes its identity and settings from.</summary>
internal static class ProxyEnvironment
{
    /// <param name="input">What is injected.</param>
    /// <param name="limits">Whether the container has limits that the agent should know.</param>
    /// <param name="intercepts">Whether the proxy gets traffic by interception.</param>
    public static JsonArray Of(TemplateInput input, bool limits, bool intercepts)
    {
        var variables = new JsonArray(
            Variables.Of("PILOT_CERT_PROVIDER", input.Values.CertificateProvider),
            Variables.Of("CA_ADDR", CaAddress(input)),
            Variables.OfField("POD_NAME", "metadata.name"),
            Variables.OfField("POD_NAMESPACE", "metadata.namespace"),
            Variables.OfField("INSTANCE_IP", "status.podIP"),
            Variables.OfField("SERVICE_ACCOUNT", "spec.serviceAccountName"),
            Variables.OfField("HOST_IP", "status.hostIP"));
        if (limits)
            variables.Add((JsonNode)Variables.OfResource("ISTIO_CPU_LIMIT", "limits.cpu"));
        Add("PROXY_CONFIG", input.ProxyConfig.DifferenceFromDefaults());
        Add("ISTIO_META_POD_PORTS", Ports(input.Pod));
        Add("ISTIO_META_APP_CONTAINERS", string.Join(',', input.Applications));
        if (limits)
            variables.Add((JsonNode)Variables.OfResource("GOMEMLIMIT", "limits.memory"));
        Add(MeshNames.ClusterVariable, input.Cluster.Length > 0 ? input.Cluster : "Kubernetes");
        variables.Add((JsonNode)Variables.OfField("ISTIO_META_NODE_NAME", "spec.nodeName"));
        if (intercepts)
            Add("ISTIO_META_INTERCEPTION_MODE", input.Annotation(MeshNames.InterceptionMode, input.ProxyConfig.InterceptionMode));
        if (input.Network.Length > 0)
            Add(MeshNames.NetworkVariable, input.Network);
        if (input.Owner.Name.Length > 0)
        {
            Add("ISTIO_META_WORKLOAD_NAME", input.Owner.Name);
            Add("ISTIO_META_OWNER", input.Owner.Uri);
        }
        if (input.Pod.Annotation(MeshNames.BootstrapOverride) is not null)
            Add("ISTIO_BOOTSTRAP_OVERRIDE", "/etc/istio/custom-bootstrap/custom_bootstrap.json");
        var meshId = input.Values.MeshId.Length > 0 ? input.Values.MeshId : input.Mesh.TrustDomain;
        if (meshId.Length > 0)
            Add("ISTIO_META_MESH_ID", meshId);
        if (input.Mesh.TrustDomain.Length > 0)
            Add("TRUST_DOMAIN", input.Mesh.TrustDomain);
        AddOccasional(input, variables);
        return variables;

        void Add(string name, string value) => variables.Add((JsonNode)Variables.Of(name, value));
    }

    /// <summary>`proxyMetadata` comes last: it wins over what the template sets.</summary>
    public static void AddMetadata(JsonObject container, IReadOnlyDictionary<string, string> metadata)
    {
        foreach (var (name, value) in metadata)
            Variables.Set(container, name, value);
    }

    private static void AddOccasional(TemplateInput input, JsonArray variables)
    {
        if (input.CompliancePolicy.Length > 0)
            variables.Add((JsonNode)Variables.Of("COMPLIANCE_POLICY", input.CompliancePolicy));
        if (input.Values.Proxy.OutlierLogPath.Length > 0)
            variables.Add((JsonNode)Variables.Of("ISTIO_META_OUTLIER_LOG_PATH", input.Values.Proxy.OutlierLogPath));
        if (input.Values.Proxy.Tracer != "datadog")
            return;
        foreach (var (name, value) in JsonText.TryParse(input.Pod.Annotation(MeshNames.DatadogEnvironment)) as JsonObject ?? [])
            variables.Add((JsonNode)Variables.Of(name, NodeReading.AsText(value) ?? ""));
    }

    private static string CaAddress(TemplateInput input)
    {
        if (input.Values.CaAddress.Length > 0)
            return input.Values.CaAddress;
        var revision = input.Values.Revision.Length > 0 ? "-" + input.Values.Revision : "";
        return $"istiod{revision}.{input.Values.IstioNamespace}.svc:15012";
    }

    private static string Ports(PodDocument pod) => new JsonArray(
        [.. pod.Spec.Members("containers").SelectMany(c => c.Members("ports")).Select(port => port.DeepClone())]).Compact();
}
