using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni;
using MeshProxy.Interception.Tests.Support;
using Xunit;

namespace MeshProxy.Interception.Tests.Cni;

/// <summary>The protocol: verbs, versions, environment, errors.</summary>
public sealed class PluginTests
{
    private const string Result = """{ "cniVersion": "1.0.0", "ips": [{ "address": "10.0.0.2/24", "unknownKey": [1] }], "dns": {} }""";

    private static readonly Dictionary<string, string> Complete = new()
    {
        ["CNI_COMMAND"] = "ADD",
        ["CNI_CONTAINERID"] = "abc",
        ["CNI_NETNS"] = "/var/run/netns/none",
        ["CNI_IFNAME"] = "eth0",
        ["CNI_PATH"] = "/opt/cni/bin",
        ["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web",
    };

    [Fact]
    public void Version_needs_no_input()
    {
        var (exit, output) = Call(new() { ["CNI_COMMAND"] = "VERSION" }, "");
        Assert.Equal(0, exit);
        Assert.Contains("1.1.0", output!["supportedVersions"]!.AsArray().Select(v => (string)v!));
    }

    [Theory]
    [InlineData("CNI_COMMAND", "MAKE")]
    [InlineData("CNI_CONTAINERID", "")]
    [InlineData("CNI_CONTAINERID", "../../etc")]
    [InlineData("CNI_NETNS", "")]
    [InlineData("CNI_IFNAME", "a/b")]
    [InlineData("CNI_IFNAME", "longer-than-fifteen")]
    [InlineData("CNI_PATH", "")]
    public void Bad_environment_is_code_4(string name, string value)
    {
        var (exit, output) = Call(new(Complete) { [name] = value }, """{ "cniVersion": "1.0.0" }""");
        Assert.Equal(1, exit);
        Assert.Equal(CniException.BadEnvironment, (int)output!["code"]!);
        Assert.Contains(name, (string)output["msg"]!);
    }

    [Theory]
    [InlineData("garbage", CniException.Decoding)]
    [InlineData("[]", CniException.Decoding)]
    [InlineData("""{ "cniVersion": "9.9.9" }""", CniException.IncompatibleVersion)]
    [InlineData("""{ "cniVersion": "1.0.0", "meshproxy": { "kubeconfg": "x" } }""", CniException.BadConfiguration)]
    [InlineData("""{ "cniVersion": "1.0.0", "meshproxy": { "arguments": ["--no-such-flag"] } }""", CniException.BadConfiguration)]
    [InlineData("""{ "cniVersion": "1.0.0", "meshproxy": { "arguments": ["-b"] } }""", CniException.BadConfiguration)]
    [InlineData("""{ "cniVersion": "1.0.0", "meshproxy": { "arguments": ["-b", "x"] } }""", CniException.Interception)]
    [InlineData("""{ "cniVersion": "1.0.0", "meshproxy": { "arguments": ["-b", "*"] } }""", CniException.Interception)]
    public void Bad_input_has_its_code(string input, int code)
    {
        var (exit, output) = Call(Complete, input);
        Assert.Equal(1, exit);
        Assert.Equal(code, (int)output!["code"]!);
    }

    [Theory]
    [InlineData("CHECK", "0.3.1")]
    [InlineData("STATUS", "1.0.0")]
    [InlineData("GC", "1.0.0")]
    public void Verbs_are_refused_to_versions_that_had_none(string command, string version)
    {
        var (exit, output) = Call(new(Complete) { ["CNI_COMMAND"] = command }, $$"""{ "cniVersion": "{{version}}" }""");
        Assert.Equal(1, exit);
        Assert.Equal(CniException.IncompatibleVersion, (int)output!["code"]!);
    }

    [Theory]
    [InlineData("K8S_POD_NAMESPACE=kube-system;K8S_POD_NAME=dns")]
    [InlineData("K8S_POD_NAMESPACE=mesh;K8S_POD_NAME=meshproxy-cni-x2v9")]
    [InlineData("")]
    public void Pods_that_are_nobodys_business_pass_without_the_api(string arguments)
    {
        var input = $$"""
            {
              "cniVersion": "1.0.0", "prevResult": {{Result}},
              "meshproxy": { "kubeconfig": "/nowhere", "excludeNamespaces": ["kube-system"], "agentNamespace": "mesh" }
            }
            """;
        var (exit, output) = Call(new(Complete) { ["CNI_ARGS"] = arguments }, input);
        Assert.Equal(0, exit);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Result), output));
    }

    [Fact]
    public void Without_a_previous_result_there_is_an_empty_one()
    {
        var input = """{ "cniVersion": "0.4.0", "meshproxy": { "kubeconfig": "/nowhere" } }""";
        var (exit, output) = Call(new(Complete) { ["CNI_ARGS"] = "" }, input);
        Assert.Equal(0, exit);
        Assert.Equal("""{"cniVersion":"0.4.0"}""", output!.ToJsonString());
    }

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(503)]
    public void Pod_that_cannot_be_looked_up_does_not_start(int status)
    {
        using var api = new ApiStub { Refuse = status };
        var (exit, output) = Call(Complete, $$"""{ "cniVersion": "1.0.0", "meshproxy": { "kubeconfig": "{{api.Kubeconfig}}" } }""");
        Assert.Equal(1, exit);
        Assert.Equal(CniException.TryAgain, (int)output!["code"]!);
        Assert.Equal(30, api.Requests.Count);
    }

    private static (int Exit, JsonObject? Output) Call(Dictionary<string, string> environment, string input)
    {
        using var output = new StringWriter();
        var plugin =
            new CniPlugin(environment.GetValueOrDefault, new StringReader(input), output, TextWriter.Null) { TryInterval = TimeSpan.Zero };
        return (plugin.Run(), Json.TryParse(output.ToString()));
    }
}
