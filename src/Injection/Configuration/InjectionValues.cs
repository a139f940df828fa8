using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Configuration;

/// <summary>
/// The values that tune injection, typed. Names and meaning are those of the istiod chart
/// (manifests/charts/istio-control/istio-discovery/values.yaml); defaults are in defaults.yaml.
/// </summary>
public sealed record InjectionValues
{
    public required string Revision { get; init; }
    public required string Hub { get; init; }
    public required string Tag { get; init; }

    /// <summary>Image type of the whole installation: `debug`, `distroless`, or empty.</summary>
    public required string Variant { get; init; }
    public required string ImagePullPolicy { get; init; }
    public required ImmutableArray<string> ImagePullSecrets { get; init; }
    public required string IstioNamespace { get; init; }
    public required string CaAddress { get; init; }
    public required string CaName { get; init; }
    public required string CertificateProvider { get; init; }
    public required string TrustBundleName { get; init; }
    public required bool ClusterTrustBundles { get; init; }
    public required string MeshId { get; init; }
    public required string Network { get; init; }
    public required string ClusterName { get; init; }
    public required bool LogAsJson { get; init; }
    public required bool MountMtlsCertificates { get; init; }
    public required bool NativeNftables { get; init; }
    public required string AgentLogLevel { get; init; }
    public required string TokenAudience { get; init; }
    public required int StsPort { get; init; }
    public required ProxyValues Proxy { get; init; }
    public required string InitImage { get; init; }
    public required bool ForceApplyRules { get; init; }
    public required JsonObject GatewaySecurityContext { get; init; }
    public required bool CniEnabled { get; init; }

    /// <summary>`multus` where pods name the networks that they join.</summary>
    public required string CniProvider { get; init; }
    public required WebhookValues Webhook { get; init; }

    /// <summary>The part of MeshConfig that the values set.</summary>
    public required JsonObject MeshConfig { get; init; }

    /// <summary>The values as a tree, for placeholders of custom templates.</summary>
    internal JsonObject Tree { get; init; } = [];

    internal static InjectionValues From(JsonObject tree)
    {
        var global = tree.Object("global");
        var pilot = tree.Object("pilot");
        return new InjectionValues
        {
            Tree = tree,
            Revision = tree.Text("revision") ?? "",
            Hub = global.Text("hub") ?? "",
            Tag = global.Text("tag") ?? "",
            Variant = FirstOf(global.Object("proxy").Text("variant"), global.Text("variant")),
            ImagePullPolicy = global.Text("imagePullPolicy") ?? "",
            ImagePullSecrets = Texts(global, "imagePullSecrets"),
            IstioNamespace = global.Text("istioNamespace") ?? "",
            CaAddress = global.Text("caAddress") ?? "",
            CaName = global.Text("caName") ?? "",
            CertificateProvider = global.Text("pilotCertProvider") ?? "",
            TrustBundleName = global.Text("trustBundleName") ?? "",
            ClusterTrustBundles = pilot.Object("env").Flag("ENABLE_CLUSTER_TRUST_BUNDLE_API"),
            MeshId = global.Text("meshID") ?? "",
            Network = global.Text("network") ?? "",
            ClusterName = global.Object("multiCluster").Text("clusterName") ?? "",
            LogAsJson = global.Flag("logAsJson"),
            MountMtlsCertificates = global.Flag("mountMtlsCerts"),
            NativeNftables = global.Flag("nativeNftables"),
            AgentLogLevel = global.Object("logging").Text("level") ?? "",
            TokenAudience = global.Object("sds").Object("token").Text("aud") ?? "",
            StsPort = global.Object("sts").Number("servicePort") ?? 0,
            Proxy = ProxyValues.From(global.Object("proxy")),
            InitImage = global.Object("proxy_init").Text("image") ?? "",
            ForceApplyRules = global.Object("proxy_init").Flag("forceApplyIptables"),
            GatewaySecurityContext = tree.Object("gateways").Object("securityContext") ?? [],
            CniEnabled = pilot.Object("cni").Flag("enabled"),
            CniProvider = pilot.Object("cni").Text("provider") ?? "",
            Webhook = WebhookValues.From(tree.Object("sidecarInjectorWebhook")),
            MeshConfig = tree.Object("meshConfig") ?? [],
        };
    }

    internal static ImmutableArray<string> Texts(JsonNode? node, string name) =>
        [.. (node.List(name) ?? []).Select(NodeReading.AsText).OfType<string>()];

    private static string FirstOf(params ReadOnlySpan<string?> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (!string.IsNullOrEmpty(candidate))
                return candidate;
        }
        return "";
    }
}
