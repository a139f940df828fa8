using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Cni;

/// <summary>Which pods are intercepted, and how.</summary>
public sealed class PodInspectorTests
{
    [Fact]
    public void Injected_pod_is_captured_whole()
    {
        var settings = Settings(PodJson.Injected());
        Assert.True(settings.InboundPorts.All);
        Assert.True(settings.OutboundRanges.All);
        Assert.Equal([15020, 15021, 15090], settings.ExcludedInboundPorts.ToArray());
        Assert.Equal([15020], settings.ExcludedOutboundPorts.ToArray());
        Assert.False(settings.TransparentInbound);
        Assert.Equal(["1337"], settings.ProxyUsers.ToArray());
    }

    [Fact]
    public void Annotations_change_what_is_captured()
    {
        var settings = Settings(PodJson.Injected()
            .Annotate("sidecar.istio.io/interceptionMode", "TPROXY")
            .Annotate("traffic.sidecar.istio.io/includeOutboundIPRanges", "127.0.0.0/8")
            .Annotate("traffic.sidecar.istio.io/excludeOutboundIPRanges", "10.0.0.0/8")
            .Annotate("traffic.sidecar.istio.io/includeInboundPorts", "1111,2222")
            .Annotate("traffic.sidecar.istio.io/excludeInboundPorts", "3333,15021")
            .Annotate("traffic.sidecar.istio.io/excludeOutboundPorts", "5555")
            .Annotate("traffic.sidecar.istio.io/kubevirtInterfaces", "net0")
            .Annotate("istio.io/reroute-virtual-interfaces", "net1"));
        Assert.True(settings.TransparentInbound);
        Assert.True(settings.OutboundRanges.HasLoopback);
        Assert.Equal([1111, 2222], settings.InboundPorts.Ports.ToArray());
        Assert.Equal([3333, 15021, 15020, 15090], settings.ExcludedInboundPorts.ToArray());
        Assert.Equal([5555], settings.ExcludedOutboundPorts.ToArray());
        Assert.Equal(["net1"], settings.VirtualInterfaces.ToArray());
    }

    [Theory]
    [InlineData(1000670000, "1000670000")]
    [InlineData(0, "1337")]
    [InlineData(null, "1337")]
    public void Proxys_identity_is_its_containers(int? given, string used)
    {
        var pod =
            PodJson.Injected().Change(p => p["spec"]!["containers"]![1]!["securityContext"]!["runAsUser"] = given);
        Assert.Equal([used], Settings(pod).ProxyUsers.ToArray());
    }

    [Fact]
    public void Proxys_environment_counts()
    {
        var settings = Settings(PodJson.Injected()
            .Environment("ISTIO_META_DNS_CAPTURE", "true")
            .Environment("INVALID_DROP", "true")
            .Environment("ISTIO_DUAL_STACK", "true")
            .Environment(Flags.OwnerGroupsExcludeEnvironment, "888"));
        Assert.True(settings.RedirectDns && settings.CaptureAllDns && settings.DropInvalid && settings.DualStack);
        Assert.Equal(["888"], settings.ExcludedOwnerGroups.ToArray());
    }

    [Fact]
    public void Native_sidecar_is_an_init_container()
    {
        var pod = PodJson.Injected();
        var proxy = pod["spec"]!["containers"]![1]!.DeepClone();
        pod["spec"]!["containers"]!.AsArray().RemoveAt(1);
        pod["spec"]!["initContainers"]!.AsArray().Add(proxy);
        Assert.Null(PodInspector.Inspect(pod).SkipReason);
    }

    public static TheoryData<string, string> Skipped() => new()
    {
        { "hostNetwork", "node's network" },
        { "init", "istio-init" },
        { "noProxy", "no container" },
        { "noStatus", "sidecar.istio.io/status" },
        { "label", "inject is false" },
        { "gateway", "router" },
        { "disabled", "DISABLE_ENVOY" },
        { "none", "NONE" },
    };

    [Theory]
    [MemberData(nameof(Skipped))]
    public void Other_pods_are_left_alone(string kind, string reason)
    {
        var pod = PodJson.Injected().Change(p =>
        {
            var (metadata, spec) = (p["metadata"]!, p["spec"]!);
            switch (kind)
            {
                case "hostNetwork":
                    spec["hostNetwork"] = true;
                    break;
                case "init":
                    spec["initContainers"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "istio-init" });
                    break;
                case "noProxy":
                    spec["containers"]!.AsArray().RemoveAt(1);
                    break;
                case "noStatus":
                    metadata["annotations"] = new JsonObject();
                    break;
                case "label":
                    metadata["labels"] = new JsonObject { ["sidecar.istio.io/inject"] = "false" };
                    p.Annotate("sidecar.istio.io/inject", "true");
                    break;
                case "gateway":
                    spec["containers"]![1]!["args"] = new JsonArray("proxy", "router");
                    break;
                case "disabled":
                    p.Environment("DISABLE_ENVOY", "true");
                    break;
                case "none":
                    p.Annotate("sidecar.istio.io/interceptionMode", "NONE");
                    break;
            }
        });
        Assert.Contains(reason, PodInspector.Inspect(pod).SkipReason);
    }

    [Fact]
    public void Unknown_mode_is_refused() => Assert.Throws<InterceptionException>(
        () => PodInspector.Inspect(PodJson.Injected().Annotate("sidecar.istio.io/interceptionMode", "MAGIC")));

    [Fact]
    public void Group_names_are_refused() => Assert.Throws<InterceptionException>(
        () => PodInspector.Inspect(PodJson.Injected().Environment(Flags.OwnerGroupsEnvironment, "java")));

    private static InterceptionSettings Settings(JsonObject pod)
    {
        // As text, as the API server gives it.
        var decision = PodInspector.Inspect(Json.TryParse(pod.ToJsonString())!);
        return new SettingsReader(decision.Flags.GetValueOrDefault, decision.Environment.GetValueOrDefault).Read();
    }
}
