using System.Net;
using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Cni;

/// <summary>Our plugin after bridge, host-local and portmap, on real namespaces.</summary>
public sealed class ChainTests
{
    private const string Arguments = "-i * -b * -d 15021,15020,15090";

    [CniRootTheory]
    [InlineData("0.3.1", "\"10.81.0.0/24\"", false, false)]
    [InlineData("1.0.0", "\"fd81::/64\"", false, false)]
    [InlineData("1.0.0", "\"10.81.0.0/24\", \"fd81::/64\"", false, false)]
    [InlineData("1.0.0", "\"10.81.0.0/24\"", true, false)]
    [InlineData("1.0.0", "\"10.81.0.0/24\"", false, true)]
    public void Pod_behind_a_bridge_is_intercepted(string version, string subnets, bool nftables, bool hairpin)
    {
        using var node = new TestNamespace();
        using var pod = new TestNamespace();
        // The bridge's own IPv6 address would be no source for connections until duplicate address detection is over.
        node.Execute("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
        using var runtime = new ContainerRuntime(node, pod.Path, Bridge(version, subnets, nftables, hairpin));
        var (exit, result) = runtime.Add();
        Assert.True(exit == 0, $"{result}");

        // The result is that of the plugin before, with everything in it.
        Assert.True(JsonNode.DeepEquals(runtime.Results[^2], result));
        Assert.True(Directory.Exists(runtime.StateDirectory));

        foreach (var address in Addresses(result!))
        {
            var six = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
            pod.Run(() =>
            {
                using var proxy = Sockets.Listen(six ? IPAddress.IPv6Any : IPAddress.Any, Ports.OutboundCapture);
                using var application = Sockets.Connect(Pod.Remote(six), 80);
                using var accepted = Sockets.Accept(proxy);
                Assert.Equal(new IPEndPoint(Pod.Remote(six), 80), Sockets.OriginalDestination(accepted));
            });
            using var inbound =
                pod.Run(() => Sockets.Listen(six ? IPAddress.IPv6Any : IPAddress.Any, Ports.InboundCapture));
            using var client = node.Run(() => Sockets.Connect(address, 8080));
            using var end = Sockets.Accept(inbound);
            Assert.Equal(new IPEndPoint(address, 8080), Sockets.OriginalDestination(end));
        }
    }

    [CniRootFact]
    public void Rules_are_checked_and_taken_away()
    {
        using var node = new TestNamespace();
        using var pod = new TestNamespace();
        using var runtime = new ContainerRuntime(node, pod.Path, Bridge("1.0.0", "\"10.81.0.0/24\"", false, false));
        Assert.Equal(0, runtime.Add().Exit);
        Assert.All(runtime.All("CHECK"), outcome => Assert.Equal(0, outcome.Exit));

        pod.Execute("iptables-nft", "-t", "nat", "-D", "ISTIO_OUTPUT", "1");
        var (exit, error) = runtime.Own("CHECK");
        Assert.Equal(1, exit);
        Assert.Equal(CniException.RulesChanged, (int)error!["code"]!);

        Assert.All(runtime.All("DEL"), outcome => Assert.Equal(0, outcome.Exit));
        Assert.DoesNotContain("ISTIO", pod.Execute("iptables-nft-save"));
        Assert.Empty(Directory.GetFiles(runtime.StateDirectory));

        // Again, and after the namespace is gone.
        Assert.All(runtime.All("DEL"), outcome => Assert.Equal(0, outcome.Exit));
        pod.Dispose();
        Assert.Equal(0, runtime.Own("DEL").Exit);
    }

    [CniRootFact]
    public void Interrupted_set_up_can_be_repeated_in_the_same_namespace()
    {
        using var node = new TestNamespace();
        using var pod = new TestNamespace();
        using var runtime = new ContainerRuntime(node, pod.Path, Bridge("1.0.0", "\"10.81.0.0/24\"", false, false));
        Assert.Equal(0, runtime.Add().Exit);
        pod.Execute("iptables-nft", "-t", "nat", "-D", "ISTIO_OUTPUT", "1");
        Assert.Equal(0, runtime.Own("ADD").Exit);
        Assert.Equal(0, runtime.Own("CHECK").Exit);
    }

    [CniRootFact]
    public void Annotations_decide_when_there_is_a_kubeconfig()
    {
        using var api = new ApiStub(
            PodJson.Injected().Annotate("traffic.sidecar.istio.io/includeInboundPorts", "8080"),
            PodJson.Injected("plain").Change(p => p["metadata"]!["annotations"] = new JsonObject()));
        using var node = new TestNamespace();
        using var intercepted = new TestNamespace();
        using var plain = new TestNamespace();
        var list = Bridge("1.0.0", "\"10.81.0.0/24\"", false, false);
        list["plugins"]!.AsArray()[^1]!["meshproxy"] = new JsonObject { ["kubeconfig"] = api.Kubeconfig };

        using var first = new ContainerRuntime(node, intercepted.Path, list);
        Assert.Equal(0, first.Add().Exit);
        Assert.Contains(
            "-A ISTIO_INBOUND -p tcp -m tcp --dport 8080 -j ISTIO_IN_REDIRECT", intercepted.Execute("iptables-nft-save"));

        using var second = new ContainerRuntime(node, plain.Path, list) { PodName = "plain" };
        Assert.Equal(0, second.Add().Exit);
        Assert.DoesNotContain("ISTIO", plain.Execute("iptables-nft-save"));
        Assert.Equal(0, second.Own("CHECK").Exit);
    }

    [CniRootFact]
    public void Gc_forgets_attachments_that_are_gone()
    {
        using var node = new TestNamespace();
        using var pod = new TestNamespace();
        var list = Bridge("1.0.0", "\"10.81.0.0/24\"", false, false);
        using var runtime = new ContainerRuntime(node, pod.Path, list);
        Assert.Equal(0, runtime.Add().Exit);
        list["cniVersion"] = "1.1.0";
        var valid = new JsonArray(new JsonObject { ["containerID"] = runtime.Container, ["ifname"] = "eth0" });
        Assert.Equal(0, runtime.Own("GC", own => own["cni.dev/valid-attachments"] = valid).Exit);
        Assert.Single(Directory.GetFiles(runtime.StateDirectory));
        Assert.Equal(0, runtime.Own("GC", own => own["cni.dev/valid-attachments"] = new JsonArray()).Exit);
        Assert.Empty(Directory.GetFiles(runtime.StateDirectory));
        Assert.Equal(0, runtime.Own("STATUS").Exit);
    }

    private static JsonObject Bridge(string version, string subnets, bool nftables, bool hairpin)
    {
        var ranges = string.Join(", ", subnets.Split(", ").Select(subnet => $$"""[{ "subnet": {{subnet}} }]"""));
        return (JsonObject)JsonNode.Parse($$"""
            {
              "cniVersion": "{{version}}",
              "name": "mpx",
              "plugins": [
                {
                  "type": "bridge", "bridge": "mpx0", "isGateway": true, "ipMasq": false, "hairpinMode": {{(hairpin ? "true" : "false")}},
                  "ipam": {
                    "type": "host-local", "ranges": [{{ranges}}],
                    "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }]
                  }
                },
                { "type": "portmap", "snat": true, "capabilities": { "portMappings": true } },
                {
                  "type": "meshproxy-cni",
                  "meshproxy": {
                    "nativeNftables": {{(nftables ? "true" : "false")}},
                    "arguments": [{{string.Join(", ", $"{Arguments} --dual-stack".Split(' ').Select(a => $"\"{a}\""))}}]
                  }
                }
              ]
            }
            """)!;
    }

    private static IEnumerable<IPAddress> Addresses(JsonObject result) =>
        result["ips"]!.AsArray().Select(ip => IPAddress.Parse(((string)ip!["address"]!).Split('/')[0]));
}
