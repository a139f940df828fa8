using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni.Repair;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Cni;

/// <summary>Pods that started before the plugin was there.</summary>
public sealed class RepairTests
{
    private const string Failed126 = """{ "terminated": { "exitCode": 126 } }""";
    private const string Failed1 = """{ "terminated": { "exitCode": 1 } }""";
    private const string Succeeded = """{ "terminated": { "exitCode": 0 } }""";
    private const string Waiting = """{ "waiting": { "reason": "CrashLoopBackOff" } }""";
    private const string None = "{}";

    [Theory]
    [InlineData(Succeeded, None, false)]
    [InlineData(Succeeded, Failed126, false)]
    [InlineData(Waiting, Failed126, true)]
    [InlineData(Waiting, Failed1, false)]
    [InlineData(Failed126, None, true)]
    [InlineData(Failed1, None, false)]
    [InlineData(None, None, false)]
    public void Broken_pod_is_recognised_by_its_validating_container(string state, string last, bool broken) =>
        Assert.Equal(broken, BrokenPods.IsBroken(WithValidation(state, last)));

    [Fact]
    public void Pod_that_was_not_injected_is_not_broken()
    {
        var pod = WithValidation(Failed126, None);
        pod["metadata"]!["annotations"] = new JsonObject();
        Assert.False(BrokenPods.IsBroken(pod));
        Assert.False(BrokenPods.IsBroken([]));
    }

    [RootFact]
    public void Missing_rules_are_set_up_from_outside()
    {
        // Addresses that no other test's namespace has: namespaces are found by them.
        using var late = new TestNamespace();
        late.Ip("addr add 10.79.0.1/32 dev lo");
        using var intact = new TestNamespace();
        intact.Ip("addr add 10.79.0.2/24 dev lo");
        using var api = new ApiStub(
            PodJson.Injected("late").Change(p => p["status"]!["podIP"] = "10.79.0.1"),
            PodJson.Injected("plain").Change(p => p["metadata"]!["annotations"] = new JsonObject()).Change(p => p["status"]!["podIP"] = "10.79.0.2"));
        var controller =
            new RepairController(new RepairSettings { Kubeconfig = api.Kubeconfig, NodeName = "node-1" }, _ => { });

        Assert.Equal(["shop/late"], controller.Look());
        Assert.Contains("ISTIO_OUTPUT", late.Execute("iptables-nft-save"));
        Assert.DoesNotContain("ISTIO_OUTPUT", intact.Execute("iptables-nft-save"));

        // Once is enough, also for a controller that starts anew.
        Assert.Empty(controller.Look());
        Assert.Empty(new RepairController(new RepairSettings { Kubeconfig = api.Kubeconfig, NodeName = "node-1" }, _ => { }).Look());
        Assert.All(api.Requests, request => Assert.StartsWith("GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1", request));
    }

    [Fact]
    public void Broken_pods_can_be_deleted_if_they_are_still_the_same()
    {
        using var api = new ApiStub(WithValidation(Waiting, Failed126), PodJson.Injected("fine"));
        Assert.Equal(["shop/web"], Look(api, RepairMode.Delete));
        var deletion = Assert.Single(api.Requests, r => r.StartsWith("DELETE"));
        Assert.Contains("/api/v1/namespaces/shop/pods/web", deletion);
        Assert.Contains("\"uid\": \"uid-web\"", deletion);
        Assert.Contains("\"resourceVersion\": \"7\"", deletion);
    }

    [Fact]
    public void Broken_pods_can_be_labelled_once()
    {
        var labelled = WithValidation(Waiting, Failed126);
        labelled["metadata"]!["name"] = "labelled";
        labelled["metadata"]!["labels"]!["cni.istio.io/uninitialized"] = "true";
        using var api = new ApiStub(WithValidation(Waiting, Failed126), labelled);
        Assert.Equal(["shop/web"], Look(api, RepairMode.Label));
        Assert.Contains("cni.istio.io/uninitialized", Assert.Single(api.Requests, r => r.StartsWith("PATCH")));
    }

    private static IReadOnlyList<string> Look(ApiStub api, RepairMode mode) =>
        new RepairController(new RepairSettings { Kubeconfig = api.Kubeconfig, NodeName = "node-1", Mode = mode }, _ => { }).Look();

    private static JsonObject WithValidation(string state, string last) => PodJson.Injected().Change(p =>
        p["status"]!["initContainerStatuses"] = new JsonArray(new JsonObject
        {
            ["name"] = "istio-validation",
            ["state"] = JsonNode.Parse(state),
            ["lastState"] = JsonNode.Parse(last),
        }));
}
