using System.Text;
using Envoy.Config.Common.MutationRules.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http;

public sealed class HeaderMutationCheckerTests
{
    [Theory]
    [InlineData("{}", "x-a", true)]
    [InlineData("{}", ":path", true)]
    [InlineData("{}", "host", false)]
    [InlineData("{}", ":authority", false)]
    [InlineData("{}", ":method", false)]
    [InlineData("{}", ":scheme", false)]
    [InlineData("{}", "x-envoy-anything", false)]
    [InlineData("{allow_all_routing: true}", ":authority", true)]
    [InlineData("{allow_envoy: true}", "x-envoy-anything", true)]
    [InlineData("{disallow_system: true}", ":path", false)]
    [InlineData("{disallow_system: true}", "x-a", true)]
    [InlineData("{disallow_all: true}", "x-a", false)]
    [InlineData("{disallow_all: true, allow_expression: {regex: 'x-.*'}}", "x-a", true)]
    [InlineData("{allow_expression: {regex: 'x-.*'}, disallow_expression: {regex: 'x-a'}}", "x-a", false)]
    [InlineData("{disallow_expression: {regex: 'x'}}", "x-a", true)]
    public void Rules_say_which_headers_may_be_set(string rules, string name, bool allowed)
    {
        var verdict = Compile(rules).Check(MutationOperation.Set, Encoding.ASCII.GetBytes(name), "https"u8);
        Assert.Equal(allowed ? MutationVerdict.Allowed : MutationVerdict.Ignored, verdict);
    }

    [Theory]
    [InlineData(":path")]
    [InlineData("host")]
    public void What_a_message_needs_is_never_removed(string name)
    {
        var verdict = Compile("{allow_all_routing: true, disallow_is_error: true}")
            .Check(MutationOperation.Remove, Encoding.ASCII.GetBytes(name), default);
        Assert.Equal(MutationVerdict.Refused, verdict);
    }

    [Theory]
    [InlineData(":scheme", "gopher", false)]
    [InlineData(":scheme", "https", true)]
    [InlineData(":authority", "a b", false)]
    [InlineData(":status", "100", false)]
    [InlineData(":status", "200", true)]
    [InlineData("x-a", "anything", true)]
    public void Values_the_proxy_relies_on_stay_well_formed(string name, string value, bool allowed)
    {
        var verdict = Compile("{allow_all_routing: true}")
            .Check(MutationOperation.Set, Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        Assert.Equal(allowed, verdict == MutationVerdict.Allowed);
    }

    private static HeaderMutationChecker Compile(string yaml) =>
        new(MessageJson.ParseYaml<HeaderMutationRules>(yaml, JsonReadOptions.Strict), "rules");
}
