using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;

namespace MeshProxy.Injection.Templates;

/// <summary>The volumes of a proxy and where it finds them.</summary>
internal sealed class ProxyVolumes
{
    private readonly JsonArray _volumes = [];
    private readonly JsonArray _mounts = [];

    private ProxyVolumes()
    {
    }

    /// <param name="input">What is injected.</param>
    /// <param name="sidecar">With what only sidecars have: revocation lists, volumes of the user, another bootstrap.</param>
    /// <param name="configuration">The name of the volume where the proxy or gRPC finds its bootstrap.</param>
    public static ProxyVolumes Of(TemplateInput input, bool sidecar, string configuration)
    {
        var made = new ProxyVolumes();
        // The sockets and the certificates have no source of their own, so that a template (SPIRE) can bring one.
        made.Add("workload-socket", "/var/run/secrets/workload-spiffe-uds", new JsonObject());
        if (configuration == "istio-envoy")
            made.Add("credential-socket", "/var/run/secrets/credential-uds", new JsonObject());
        made.AddWorkloadCertificates(input);
        made.AddRoots(input, sidecar);
        made.Add("istio-data", "/var/lib/istio/data", Source("emptyDir"));
        made.Add(configuration, "/etc/istio/proxy",
            new JsonObject { ["emptyDir"] = new JsonObject { ["medium"] = "Memory" } });
        made.AddToken(input);
        made.AddPodInfo();
        if (input.Values.MountMtlsCertificates)
            made.AddMtlsCertificates(input);
        if (sidecar)
            made.AddOfUser(input);
        return made;
    }

    public JsonArray Volumes() => (JsonArray)_volumes.DeepClone();

    public JsonArray Mounts() => (JsonArray)_mounts.DeepClone();

    private static JsonObject Source(string kind) => new() { [kind] = new JsonObject() };

    private void Add(string name, string path, JsonObject source, bool readOnly = false)
    {
        var volume = new JsonObject { ["name"] = name };
        StrategicMerge.Apply(volume, source);
        _volumes.Add((JsonNode)volume);
        var mount = new JsonObject { ["mountPath"] = path, ["name"] = name };
        if (readOnly)
            mount["readOnly"] = true;
        _mounts.Add((JsonNode)mount);
    }

    private void AddWorkloadCertificates(TemplateInput input)
    {
        const string Path = "/var/run/secrets/workload-spiffe-credentials";
        if (input.Values.CaName == "GkeWorkloadCertificate")
            Add("gke-workload-certificate", Path,
                new JsonObject { ["csi"] = new JsonObject { ["driver"] = "workloadcertificates.security.cloud.google.com" } },
                readOnly: true);
        else
            Add("workload-certs", Path, new JsonObject());
    }

    private void AddRoots(TemplateInput input, bool revocation)
    {
        if (input.Values.CertificateProvider != "istiod")
            return;
        var bundle = input.Values.TrustBundleName;
        Add("istiod-ca-cert", "/var/run/secrets/istio", input.Values.ClusterTrustBundles
            ? TrustBundle(bundle.Length > 0 ? bundle : "root-cert")
            : ConfigMap(bundle.Length > 0 ? bundle : "istio-ca-root-cert"));
        if (!revocation)
            return;
        var lists = ConfigMap("istio-ca-crl");
        lists.Object("configMap")!["optional"] = true;
        Add("istio-ca-crl", "/var/run/secrets/istio/crl", lists);
    }

    private static JsonObject ConfigMap(string name) =>
        new() { ["configMap"] = new JsonObject { ["name"] = name } };

    private static JsonObject TrustBundle(string name) => Projected(new JsonObject
    {
        ["clusterTrustBundle"] = new JsonObject { ["name"] = $"istio.io:istiod-ca:{name}", ["path"] = "root-cert.pem" },
    });

    private static JsonObject Projected(JsonObject source) =>
        new() { ["projected"] = new JsonObject { ["sources"] = new JsonArray(source) } };

    // Twelve hours, as Istio asks: the kubelet renews a token at 80 % of its life.
    private void AddToken(TemplateInput input) => Add("istio-token", "/var/run/secrets/tokens", Projected(new JsonObject
    {
        ["serviceAccountToken"] = new JsonObject
        {
            ["path"] = "istio-token",
            ["expirationSeconds"] = 43200,
            ["audience"] = input.Values.TokenAudience,
        },
    }));

    private void AddPodInfo() => Add("istio-podinfo", "/etc/istio/pod", new JsonObject
    {
        ["downwardAPI"] = new JsonObject
        {
            ["items"] = new JsonArray(Field("labels"), Field("annotations")),
        },
    });

    private static JsonObject Field(string name) => new()
    {
        ["path"] = name,
        ["fieldRef"] = new JsonObject { ["fieldPath"] = "metadata." + name },
    };

    private void AddMtlsCertificates(TemplateInput input)
    {
        var account = input.Pod.Spec.Text("serviceAccountName");
        Add("istio-certs", "/etc/certs/", new JsonObject
        {
            ["secret"] = new JsonObject
            {
                ["optional"] = true,
                ["secretName"] = "istio." + (string.IsNullOrEmpty(account) ? "default" : account),
            },
        }, readOnly: true);
    }

    private void AddOfUser(TemplateInput input)
    {
        if (input.Pod.Annotation(MeshNames.BootstrapOverride) is { } bootstrap)
            Add("custom-bootstrap-volume", "/etc/istio/custom-bootstrap", ConfigMap(bootstrap));
        foreach (var (name, source) in JsonText.TryParse(input.Pod.Annotation(MeshNames.UserVolume)) as JsonObject ?? [])
            _volumes.Add((JsonNode)Named(name, source));
        foreach (var (name, mount) in JsonText.TryParse(input.Pod.Annotation(MeshNames.UserVolumeMount)) as JsonObject ?? [])
            _mounts.Add((JsonNode)Named(name, mount));
    }

    private static JsonObject Named(string name, JsonNode? fields)
    {
        var named = fields?.DeepClone() as JsonObject ?? [];
        named["name"] = name;
        return named;
    }
}
