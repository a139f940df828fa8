using MeshProxy.Injection.Webhook;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class NodeVersionsTests
{
    [Theory]
    [InlineData("", null, true)]
    [InlineData("v1.33.0,v1.34.1", null, true)]
    [InlineData("v1.33.0,v1.32.9", null, false)]
    [InlineData("v1.33.0,v1.32.9", "node-1", true)]
    [InlineData("v1.33.0,v1.32.9", "node-2", false)]
    [InlineData("v1.33.0", "node-9", false)]
    [InlineData("v1.33.4-gke.1200,v2.0.0", null, true)]
    [InlineData("unknown", null, false)]
    public void All_nodes_must_know_native_sidecars_or_the_one_that_is_chosen(string kubelets, string? node, bool expected) =>
        Assert.Equal(expected, NodeVersions.Of(kubelets).KnowNativeSidecars(node));
}
