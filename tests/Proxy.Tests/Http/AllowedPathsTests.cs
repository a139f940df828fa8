using System.Text;
using MeshProxy.Proxy.Admin;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http;

public sealed class AllowedPathsTests
{
    private const string Some = "{allow_paths: [{exact: /ready}, {prefix: /stats}]}";

    [Theory]
    [InlineData(Some, "/ready", true)]
    [InlineData(Some, "/ready?x=1", true)]
    [InlineData(Some, "/stats/prometheus", true)]
    [InlineData(Some, "/quitquitquit", false)]
    [InlineData(Some, "/quitquitquit?/ready", false)]
    [InlineData("{}", "/quitquitquit", true)]
    public void Only_named_paths_are_answered(string admin, string path, bool allowed)
    {
        var config = MessageJson.ParseYaml<Envoy.Config.Bootstrap.V3.Admin>(admin, JsonReadOptions.Strict);
        Assert.Equal(allowed, new AllowedPaths(config.AllowPaths).Allow(Encoding.ASCII.GetBytes(path)));
    }
}
