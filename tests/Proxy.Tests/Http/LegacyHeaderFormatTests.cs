using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http;

public class LegacyHeaderFormatTests
{
    [Theory]
    [InlineData("%DYNAMIC_METADATA([\"ns\", \"key\"])%", "%DYNAMIC_METADATA(ns:key)%")]
    [InlineData("a %UPSTREAM_METADATA([\"ns\",\"a\",\"b\"])% b", "a %UPSTREAM_METADATA(ns:a:b)% b")]
    [InlineData("%PER_REQUEST_STATE(x.y)%", "%FILTER_STATE(x.y:PLAIN)%")]
    [InlineData("%DYNAMIC_METADATA(ns:key)% [1]", "%DYNAMIC_METADATA(ns:key)% [1]")]
    public void Older_notation_is_rewritten(string value, string expected) =>
        Assert.Equal(expected, LegacyHeaderFormat.Translate(value, "value"));

    [Fact]
    public void List_of_numbers_is_refused() =>
        Assert.Throws<ConfigurationException>(() => LegacyHeaderFormat.Translate("%UPSTREAM_METADATA([1, 2])%", "value"));
}
