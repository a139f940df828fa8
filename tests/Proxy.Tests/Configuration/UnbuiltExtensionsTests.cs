using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Unbuilt;
using Xunit;

namespace MeshProxy.Proxy.Tests.Configuration;

public class UnbuiltExtensionsTests
{
    [Fact]
    public void A_filter_that_is_built_has_left_the_table()
    {
        Assert.All(UnbuiltExtensions.Http, filter => Assert.Same(filter, Extensions.FindHttp("", filter.ConfigType)));
        Assert.All(UnbuiltExtensions.Network, filter => Assert.Same(filter, Extensions.FindNetwork("", filter.ConfigType)));
    }
}
