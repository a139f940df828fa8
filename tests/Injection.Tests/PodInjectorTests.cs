using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Pods;
using MeshProxy.Injection.Templates;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class PodInjectorTests
{
    private const string Plain = "{metadata: {name: one}, spec: {containers: [{name: app, image: i}]}}";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_second_injection_changes_nothing(bool native)
    {
        var first = Given.Injected("""
            metadata: {name: one, annotations: {prometheus.io/port: 9102, sidecar.istio.io/userVolume: '{"v":{"emptyDir":{}}}'}}
            spec:
              containers:
              - {name: app, image: i, readinessProbe: {grpc: {port: 9000}}}
              - name: istio-proxy
                image: auto
                securityContext: {runAsUser: 2000}
                resources: {requests: {cpu: 5m}}
                env: [{name: MORE, value: x}]
            """, native: native);
        var second = PodInjector.Inject(Given.Request(first, native: native));
        Assert.Equal("[]", JsonPatch.Between(first, second).ToJsonString());
    }

    [Fact]
    public void Native_to_classic_leaves_one_proxy()
    {
        var native = Given.Injected(Plain);
        var classic = PodInjector.Inject(Given.Request(native, native: false));
        Assert.Equal(Given.Injected(Plain, native: false).ToJsonString(), classic.ToJsonString());
    }

    [Fact]
    public void Fields_that_nobody_knows_yet_survive()
    {
        var pod = Given.Injected("{metadata: {name: one, future: [1]}, spec: {containers: [{name: app, x: {y: 1}}], z: null}}");
        Assert.Equal(1, (int)pod["metadata"]!["future"]![0]!);
        Assert.Equal(1, (int)pod.Object("spec").Named("containers", "app")!["x"]!["y"]!);
        Assert.True(pod.Object("spec")!.ContainsKey("z"));
    }

    [Fact]
    public void With_the_CNI_plugin_the_restricted_profile_admits_every_container()
    {
        var pod = Given.Injected(Plain,
            "{pilot: {cni: {enabled: true}}, global: {proxy: {seccompProfile: {type: RuntimeDefault}}}}");
        foreach (var container in pod.Object("spec").Members("initContainers"))
        {
            var security = container.Object("securityContext");
            Assert.Equal("true", security.Text("runAsNonRoot"));
            Assert.NotEqual(0, security.Number("runAsUser"));
            Assert.Equal("false", security.Text("allowPrivilegeEscalation"));
            Assert.Equal("false", security.Text("privileged"));
            Assert.Equal("""{"drop":["ALL"]}""", security.Object("capabilities")!.ToJsonString());
            Assert.Equal("RuntimeDefault", security.Object("seccompProfile").Text("type"));
        }
    }

    [Fact]
    public void In_transparent_mode_the_proxy_stays_root_and_the_rules_keep_their_user()
    {
        var pod = Given.Injected("""
            metadata: {name: one, annotations: {sidecar.istio.io/interceptionMode: TPROXY}}
            spec: {containers: [{name: istio-proxy, image: auto, securityContext: {runAsUser: 2000}}]}
            """);
        Assert.Equal(0, pod.Proxy().Object("securityContext").Number("runAsUser"));
        var arguments = pod.Object("spec").Named("initContainers", "istio-init").List("args")!.Select(a => (string)a!).ToList();
        Assert.Equal("1337", arguments[arguments.IndexOf("-u") + 1]);
    }

    [Fact]
    public void OpenShift_namespaces_bring_the_user_and_its_stamp_is_dropped()
    {
        var namespaceOf = Given.Pod("annotations: {openshift.io/sa.scc.uid-range: 1000/100, openshift.io/sa.scc.supplemental-groups: 2000-2099}");
        var request = Given.Request(Given.Pod("""
            metadata: {name: one}
            spec:
              containers:
              - {name: app, securityContext: {runAsUser: 1000}}
              - {name: istio-proxy, image: auto, securityContext: {runAsUser: 1000}}
            """)) with { Identity = ProxyIdentity.OfNamespace(namespaceOf) };
        var proxy = PodInjector.Inject(request).Proxy();
        Assert.Equal(1099, proxy.Object("securityContext").Number("runAsUser"));
        Assert.Equal(2099, proxy.Object("securityContext").Number("runAsGroup"));
    }

    [Theory]
    [InlineData("", "r/meshproxy:1")]
    [InlineData("debug", "r/meshproxy:1-debug")]
    [InlineData("default", "r/meshproxy:1")]
    public void Image_types_are_suffixes_of_the_tag(string type, string expected)
    {
        var annotation = type.Length > 0 ? $"sidecar.istio.io/proxyImageType: {type}" : "";
        var pod = Given.Injected(
            $"{{metadata: {{name: one, annotations: {{{annotation}}}}}, spec: {{containers: [{{name: app}}]}}}}",
            $"global: {{hub: r, tag: {(type == "default" ? "1-distroless" : "'1'")}}}");
        Assert.Equal(expected, pod.Proxy().Text("image"));
    }

    [Fact]
    public void Every_refused_annotation_is_named_at_once()
    {
        var refused = Assert.Throws<ManifestException>(() => Given.Injected("""
            metadata: {annotations: {sidecar.istio.io/proxyCPU: "1\n  privileged: true", status.sidecar.istio.io/port: '70000'}}
            """));
        Assert.Contains("proxyCPU", refused.Message);
        Assert.Contains("70000", refused.Message);
    }

    [Theory]
    [InlineData("traffic.sidecar.istio.io/includeOutboundPorts", "80;reboot")]
    [InlineData("traffic.sidecar.istio.io/excludeOutboundIPRanges", "10.0.0.0/33")]
    [InlineData("traffic.sidecar.istio.io/includeOutboundIPRanges", "10.0.0.1")]
    [InlineData("istio.io/reroute-virtual-interfaces", "eth0,")]
    [InlineData("traffic.sidecar.istio.io/excludeInterfaces", "a-name-too-long-for-linux")]
    [InlineData("proxy.istio.io/config", "{proxyMetadata: {A: 1}}")]
    [InlineData("proxy.istio.io/config", "{drainDuration: 5m}")]
    [InlineData("proxy.istio.io/config", "{interceptionMode: SOMETIMES}")]
    [InlineData("prometheus.istio.io/scrape-targets", "015020")]
    [InlineData("prometheus.io/port", "0")]
    public void Values_that_mean_nothing_are_refused(string annotation, string value) =>
        Assert.Throws<ManifestException>(() => PodInjector.Inject(Given.Request(new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [annotation] = value } },
        })));

    [Theory]
    [InlineData("proxy.istio.io/config", "{fieldOfTheFuture: 1}", "fieldOfTheFuture")]
    [InlineData("sidecar.istio.io/userVolume", "no JSON", "userVolume")]
    [InlineData("prometheus.istio.io/scrape-targets", ":/metrics", ":/metrics")]
    public void What_has_no_effect_is_said(string annotation, string value, string named)
    {
        List<string> warnings = [];
        PodInjector.Inject(Given.Request(
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [annotation] = value } } },
            warnings: warnings));
        Assert.Contains(named, Assert.Single(warnings));
    }

    [Fact]
    public void A_fragment_of_the_user_is_a_template()
    {
        var pod = Given.Injected(
            "{metadata: {name: one, annotations: {inject.istio.io/templates: 'both'}, labels: {team: t}}, spec: {containers: [{name: app}]}}",
            """
            global: {hub: r, tag: '2'}
            sidecarInjectorWebhook:
              aliases: {both: [sidecar, extra]}
              templates:
                extra: |
                  spec:
                    volumes: [{name: workload-socket, csi: {driver: csi.spiffe.io}}]
                    containers: [{name: helper, image: "${image}", args: ["${label:team}", "${values:global.tag}"]}]
            """);
        var helper = pod.Object("spec").Named("containers", "helper");
        Assert.Equal("r/meshproxy:2", helper.Text("image"));
        Assert.Equal("""["t","2"]""", helper.List("args")!.ToJsonString());
        Assert.Equal("csi.spiffe.io", pod.Object("spec").Named("volumes", "workload-socket").Object("csi").Text("driver"));
    }

    [Fact]
    public void Old_and_new_probes_of_a_reinjected_pod_come_together()
    {
        var first = Given.Injected(
            "{metadata: {name: one}, spec: {containers: [{name: app, readinessProbe: {httpGet: {path: /r, port: 80}}}]}}");
        first.Object("spec").Named("containers", "app")!["livenessProbe"] = JsonNode.Parse("""{"tcpSocket":{"port":81}}""");
        var probers = PodInjector.Inject(Given.Request(first)).Proxy().Variable("ISTIO_KUBE_APP_PROBERS");
        Assert.Equal(
            """{"/app-health/app/livez":{"tcpSocket":{"port":81}},"/app-health/app/readyz":{"httpGet":{"path":"/r","port":80}}}""",
            probers);
    }

    [Fact]
    public void A_grpc_application_that_changed_since_the_first_injection_keeps_its_change()
    {
        var first = Given.Injected(
            "{metadata: {name: one, annotations: {inject.istio.io/templates: grpc-agent}}, spec: {containers: [{name: app, image: 'a:1'}]}}");
        first.Object("spec").Named("containers", "app")!["image"] = "a:2";
        var second = PodInjector.Inject(Given.Request(first));
        Assert.Equal("a:2", second.Object("spec").Named("containers", "app").Text("image"));
    }

    [Fact]
    public void The_secure_metrics_port_is_announced()
    {
        var pod = Given.Injected(Plain, mesh: "defaultConfig: {proxyMetadata: {ENVOY_SECURE_MERGED_METRICS_PORT: '15091'}}");
        Assert.Equal("15091", new PodDocument(pod).Annotation("prometheus.istio.io/secure-port"));
    }
}
