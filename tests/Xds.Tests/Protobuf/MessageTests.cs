using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Protobuf;

public sealed class MessageTests
{
    [Fact]
    public void AMessageIsBuiltThroughItsWrapperInAnyOrder()
    {
        var node = Node.New();
        node.Cluster = "c";
        node.Id = "n";
        var request = DiscoveryRequest.New();
        request.ResponseNonce = "3";
        request.ResourceNames.Add("a");
        request.Node = node;
        request.VersionInfo = "1";
        request.ResourceNames.AddRange(["b", "c"]);

        var read = Message.Parse<DiscoveryRequest>(request.Message.ToBytes());

        Assert.Equal(request.Message, read.Message);
        Assert.Equal(["a", "b", "c"], read.ResourceNames.ToArray());
        Assert.Equal(("1", "3", "n", "c"), (read.VersionInfo, read.ResponseNonce, read.Node!.Value.Id, read.Node!.Value.Cluster));
    }

    [Fact]
    public void SettingADefaultClearsAPlainFieldButNotOneWithPresence()
    {
        var address = SocketAddress.New();
        address.Address = "a";
        address.PortValue = 0;
        address.Address = "";

        Assert.Equal(SocketAddress.PortSpecifierOneofCase.PortValue, address.PortSpecifierCase);
        Assert.Equal([0x18, 0x00], address.Message.ToBytes());
    }

    [Fact]
    public void SettingOneOfAGroupClearsTheOther()
    {
        var address = SocketAddress.New();
        address.PortValue = 80;
        address.NamedPort = "http";

        Assert.Equal(SocketAddress.PortSpecifierOneofCase.NamedPort, address.PortSpecifierCase);
        Assert.Equal(0U, address.PortValue);
    }

    [Fact]
    public void WrappersAndDurationsSurviveARoundTrip()
    {
        var route = RouteAction.New();
        route.Timeout = TimeSpan.FromMilliseconds(-1500);
        route.IdleTimeout = TimeSpan.Zero;
        route.AutoHostRewrite = false;

        var read = Message.Parse<RouteAction>(route.Message.ToBytes());

        Assert.Equal(TimeSpan.FromMilliseconds(-1500), read.Timeout);
        Assert.Equal(TimeSpan.Zero, read.IdleTimeout);
        Assert.Null(read.MaxGrpcTimeout);
        Assert.False(read.AutoHostRewrite);
        Assert.Equal(RouteAction.HostRewriteSpecifierOneofCase.AutoHostRewrite, read.HostRewriteSpecifierCase);
    }

    [Fact]
    public void OrderOfMapEntriesDoesNotCount()
    {
        var one = ResourceLocator("a", "b");
        var other = ResourceLocator("b", "a");

        Assert.Equal(one.Message, other.Message);
        Assert.Equal(one.Message.GetHashCode(), other.Message.GetHashCode());
        Assert.NotEqual(one.Message, ResourceLocator("a", "c").Message);
        Assert.Equal(Any.Pack(one), Any.Pack(other));

        static ResourceLocator ResourceLocator(string first, string second)
        {
            var locator = Envoy.Service.Discovery.V3.ResourceLocator.New();
            locator.DynamicParameters.Set(first, "v");
            locator.DynamicParameters.Set(second, "v");
            return locator;
        }
    }

    [Fact]
    public void LargeMapsAreFoundByKeyAndKeepTheirOrder()
    {
        var locator = Envoy.Service.Discovery.V3.ResourceLocator.New();
        for (var i = 0; i < 100; i++)
        {
            locator.DynamicParameters.Set($"k{i}", $"{i}");
        }

        Assert.True(locator.DynamicParameters.TryGetValue("k57", out var value));
        locator.DynamicParameters.Set("k57", "new");
        locator.DynamicParameters.Set("another", "x");

        Assert.Equal("57", value);
        Assert.Equal(101, locator.DynamicParameters.Count);
        Assert.Equal(new("k57", "new"), locator.DynamicParameters[57]);
        Assert.True(locator.DynamicParameters.ContainsKey("another"));
    }

    [Fact]
    public void UnknownFieldsAreKeptAndReported()
    {
        byte[] bytes = [0x0A, 0x01, (byte)'n', 0xB8, 0x3E, 0x05];
        var node = Message.Parse<Node>(bytes);

        Assert.Equal([("", 999)], UnknownFieldList.Of(node.Message));
        Assert.Equal(bytes, node.Message.ToBytes());
        Assert.NotEqual(node.Message, Message.Parse<Node>(bytes.AsSpan(0, 3)).Message);
    }

    [Fact]
    public void AMessageThatComesTwiceIsTheMergeOfBoth()
    {
        var first = DiscoveryRequest.New();
        var a = Node.New();
        a.Id = "a";
        first.Node = a;
        var second = DiscoveryRequest.New();
        var b = Node.New();
        b.Cluster = "b";
        second.Node = b;

        var merged = Message.Parse<DiscoveryRequest>([.. first.Message.ToBytes(), .. second.Message.ToBytes()]);

        Assert.Equal(("a", "b"), (merged.Node!.Value.Id, merged.Node!.Value.Cluster));
    }

    [Theory]
    [InlineData(new byte[] { 0x0A, 0x05, 0x41 }, "end in the middle")]
    [InlineData(new byte[] { 0x0A }, "a number does not end")]
    [InlineData(new byte[] { 0x00 }, "a field number is out of range")]
    [InlineData(new byte[] { 0x0A, 0x01, 0xFF }, "envoy.config.core.v3.Node.id is not valid UTF-8")]
    [InlineData(new byte[] { 0xFB, 0x3E, 0x01 }, "a field number")]
    public void MalformedBytesAreRefused(byte[] bytes, string sentence)
    {
        var error = Assert.Throws<ProtobufException>(() => Message.Parse<Node>(bytes));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NestingHasALimit()
    {
        byte[] bytes = [];
        for (var i = 0; i < 400; i++)
        {
            // Value.list_value in ListValue.values in Value.list_value …
            bytes = [(byte)(i % 2 == 0 ? 0x32 : 0x0A), .. Varint(bytes.Length), .. bytes];
        }

        Assert.Throws<ProtobufException>(() => Message.Parse<Google.Protobuf.WellKnownTypes.ListValue>(bytes));
    }

    [Fact]
    public void RandomBytesNeverBreakTheParser()
    {
        var random = new Random(1);
        var type = Envoy.Config.Cluster.V3.Cluster.Descriptor;
        for (var i = 0; i < 20000; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            try
            {
                var message = Message.Parse(type, bytes);
                Assert.Equal(message, Message.Parse(type, message.ToBytes()));
            }
            catch (ProtobufException)
            {
                // The only way to say no.
            }
        }
    }

    [Fact]
    public void TypesAreFoundByNameAndUrl()
    {
        Assert.Same(Node.Descriptor, SchemaRegistry.Find("envoy.config.core.v3.Node"));
        Assert.Same(Node.Descriptor, SchemaRegistry.FindByUrl("type.googleapis.com/envoy.config.core.v3.Node"));
        Assert.Null(SchemaRegistry.Find("envoy.no.Such"));
        Assert.Equal("dynamicParameters", SchemaRegistry.Find("envoy.service.discovery.v3.ResourceLocator")!.FindField("dynamic_parameters")!.JsonName);
    }

    private static byte[] Varint(int value) => value < 0x80 ? [(byte)value] : [(byte)(value | 0x80), (byte)(value >> 7)];
}
