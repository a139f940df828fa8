using MeshProxy.Injection.Webhook;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class InjectPathTests
{
    [Theory]
    [InlineData("/inject", "")]
    [InlineData("/inject/", "")]
    [InlineData("/inject/cluster/c1", "ISTIO_META_CLUSTER_ID=c1")]
    [InlineData("/inject/cluster/c1/net/n1/", "ISTIO_META_CLUSTER_ID=c1 ISTIO_META_NETWORK=n1")]
    [InlineData("/inject/cluster/c1/net", "ISTIO_META_CLUSTER_ID=c1")]
    [InlineData("/inject/custom/a--slash--b", "CUSTOM=a/b")]
    [InlineData("/inject/:ENV:cluster=c1:ENV:net=n1", "ISTIO_META_CLUSTER_ID=c1 ISTIO_META_NETWORK=n1")]
    [InlineData("/inject/:ENV:a=:ENV:=b:ENV:c", "A=")]
    [InlineData("/inject/not a name/x", "")]
    public void The_URL_says_what_the_proxy_gets(string path, string expected) =>
        Assert.Equal(expected, string.Join(' ', InjectPath.Environment(path, _ => { }).Select(e => $"{e.Key}={e.Value}")));
}
